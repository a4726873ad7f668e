import fc from 'fast-check';
import { expect, it } from 'vitest';
import { everyAccess, fullAt, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';

/** What a 1 clears: by byte of configuration space. */
const clearedByOne = [
  { what: 'STATUS', byte: 0x07, mask: 0xf9 },
  { what: 'PMCSR', byte: at.powerManagement + 5, mask: 0x80 },
  { what: 'DEVSTA', byte: fullAt.express + 0x0a, mask: 0x4f },
];

it('C7: no sequence of writes clears an error bit of the device', () => {
  const access = fc.tuple(fc.constantFrom(...everyAccess), fc.integer({ min: 0, max: 0xffff_ffff }));
  fc.assert(
    fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
      const rig = runningRig();
      rig.device.poke(0x07, 0xf9);
      rig.device.poke(at.powerManagement + 5, 0x80);
      const since = rig.device.writes.length;
      for (const [[offset, width], value] of accesses) rig.guest().writeConfig(offset, value, width);
      for (const { offset, width, value } of rig.device.writes.slice(since)) {
        for (const { byte, mask } of clearedByOne) {
          const lane = byte - offset;
          if (lane >= 0 && lane < width) expect((value >>> (8 * lane)) & mask).toBe(0);
        }
      }
      expect(rig.device.read(0x07, 1) & 0xf9).toBe(0xf9);
    }),
    { numRuns: 200 },
  );
});

it('C7: bus master changed by a dword leaves STATUS alone', () => {
  const rig = runningRig();
  rig.device.poke(0x07, 0xf9);
  rig.guest().writeConfig(0x04, 0xffff_0003);
  rig.guest().writeConfig(0x04, 0xffff_0007);
  expect(rig.device.read(0x07, 1)).toBe(0xf9);
  expect(rig.device.command & 4).toBe(4);
});
