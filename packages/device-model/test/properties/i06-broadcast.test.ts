import { expect, it } from 'vitest';
import { ForeignGuestMemory } from '../../src/guest-memory.js';
import { runningRig } from '../support/full-card.js';
import { request } from '../support/guest.js';
import { RequestPage } from '../support/request-page.js';
import { home, makeRig } from '../support/rig.js';

it('I6: INVALIDATE is answered, with and without a device', () => {
  for (const rig of [makeRig(), runningRig()]) {
    const page = new RequestPage(2);
    page.ask(0, { type: 8, size: 0 });
    page.ask(1, { type: 8, size: 8, count: 0xffff_ffff, pointer: true, read: true });
    page.serve(rig);
    expect([page.answers.length, page.violations, rig.faults, rig.handler.counts.invalidate]).toEqual([2, [], [], 2]);
  }
});

it('I6: there is nothing to drop: no mapping of guest memory outlives its request', () => {
  const open = new Set<object>();
  const map = () => {
    const mapping = { buffer: new ArrayBuffer(4096), close: () => open.delete(mapping) };
    open.add(mapping);
    return mapping;
  };
  const rig = runningRig(undefined, { memory: new ForeignGuestMemory({ map } as never, 1) });
  for (const read of [true, false]) {
    for (const type of [1, 2]) {
      rig.handler.handle(
        request({ type, address: BigInt(home.bar3), count: 2000, data: 0x5000n, pointer: true, read }),
      );
      expect(open.size).toBe(0);
    }
  }
});
