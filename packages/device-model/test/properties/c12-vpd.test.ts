import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';

it('C12: flag F of the product data is 0 in every write that the device gets', () => {
  const access = fc.constantFrom([0, 4], [2, 2], [2, 1], [3, 1], [4, 4], [4, 2]) as fc.Arbitrary<[number, number]>;
  fc.assert(
    fc.property(fc.array(fc.tuple(access, fc.integer({ min: 0, max: 0xffff_ffff }))), (accesses) => {
      const rig = runningRig();
      // As after a read: the device left the flag at 1.
      rig.device.poke(at.vpd + 2, 0x04, 0x81);
      for (const [[offset, width], value] of accesses) rig.guest().writeConfig(at.vpd + offset, value, width);
      for (const { offset, width, value } of rig.device.writes.filter((write) => write.offset > at.vpd)) {
        if (offset + width === at.vpd + 4) expect(value >>> (8 * width - 1)).toBe(0);
        expect(offset).toBeLessThan(at.vpd + 4);
      }
      expect(rig.device.violations).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

it('C12: a guest reads at the address it asks for', () => {
  const rig = runningRig();
  rig.guest().writeConfig(at.vpd + 2, 0x0124, 2);
  expect(rig.device.read(at.vpd + 2, 2)).toBe(0x0124);
});
