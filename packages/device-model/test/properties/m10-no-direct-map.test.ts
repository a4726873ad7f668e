import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { home } from '../support/rig.js';

/** The machine frames that hold a byte of the table. */
const tableFrames = [0xe004_1n, 0xe004_2n];

it('M10: no frame with a byte of the table is ever mapped, wherever the guest puts the BAR', () => {
  const resources = [memoryBar(0, 0xe000_0000n, 0x2_0000n), memoryBar(3, 0xe004_0000n, 0x4000n)];
  const image = networkCard({ resources, msixVectorCount: 20, msixTable: 0x1f03, msixPending: 0x3003, command: 3 });
  const place = fc.oneof(
    fc.integer({ min: 0xeffff, max: 0xf004f }).map((page) => page * 4096),
    fc.constantFrom(0, 0xffff_ffff, home.bar0, home.bar3, home.bar3 + 0x1000),
  );
  const step = fc.oneof(
    place.map((address) => ({ address, bar: 3 })),
    place.map((address) => ({ address, bar: 0 })),
    fc.constantFrom(0, 2, 7).map((command) => ({ command })),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 20 }), (barAccess, steps) => {
      const rig = runningRig(image, { barAccess });
      for (const one of steps) {
        if ('command' in one) rig.guest().command(one.command);
        else rig.guest().placeBar(one.bar, one.address);
        // Where BARs are mapped when touched, all of this one is touched.
        for (let page = 0; page < 4; page += 1) {
          const bar = rig.model.view('01:00.0').bars.find(({ index }) => index === 3)?.guestAddress;
          if (bar !== null && bar !== undefined) rig.guest().readMemory(Number(bar) + page * 4096);
        }
        for (const [, first, count] of rig.hypervisor.mappedFrames()) {
          for (const frame of tableFrames) expect(frame >= first && frame < first + count).toBe(false);
        }
      }
      expect(rig.hypervisor.violations).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
