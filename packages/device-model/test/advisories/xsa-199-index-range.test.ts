import { expect, it } from 'vitest';
import { request } from '../support/guest.js';
import { runningRig } from '../support/full-card.js';
import { slot } from '../support/rig.js';

it('XSA-199: a register number of any 32 bits is answered, and indexes nothing', () => {
  const rig = runningRig();
  for (const offset of [0x100, 0xfff, 0x1000, 0x7fff_fffc, 0x8000_0000, 0xffff_fffc, 0xffff_ffff]) {
    for (const read of [true, false]) {
      const address = (BigInt(slot) << 32n) | BigInt(offset);
      rig.handler.handle(request({ type: 2, address, size: 4, read, data: 0n }));
      expect(rig.handler.dataLow).toBe(0xffff_ffff);
    }
  }
  expect([rig.faults, rig.device.violations]).toEqual([[], []]);
});
