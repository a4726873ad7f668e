import fc from 'fast-check';
import { expect, it } from 'vitest';
import { request } from '../support/guest.js';
import { runningRig } from '../support/full-card.js';
import { slot } from '../support/rig.js';

it('C11: any size, any place, any count: a defined answer, nothing thrown, nothing written', () => {
  const rig = runningRig();
  const since = rig.device.writes.length;
  const before = rig.guest().readConfig(0x84);
  fc.assert(
    fc.property(
      fc.constantFrom(0, 3, 5, 6, 7, 8, 9, 16, 255, 0xffff_ffff),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom(0, 1, 2, 4096, 4097, 0xffff_ffff),
      fc.boolean(),
      (size, offset, count, read) => {
        const address = (BigInt(slot) << 32n) | BigInt(offset);
        rig.handler.handle(request({ type: 2, address, size, count, read, data: (1n << 64n) - 1n }));
        expect(rig.handler.dataLow).toBe(0xffff_ffff);
      },
    ),
    { numRuns: 500 },
  );
  expect([rig.faults, rig.device.writes.slice(since)]).toEqual([[], []]);
  expect(rig.guest().readConfig(0x84)).toBe(before);
});

it('C11: what is not aligned to its width, or crosses a word, is refused whole', () => {
  const rig = runningRig();
  for (const [offset, width] of [
    [0x05, 2],
    [0x06, 4],
    [0x0d, 4],
    [0xff, 2],
    [0xfe, 4],
    [0x100, 1],
  ] as const) {
    rig.guest().writeConfig(offset, 0, width);
    expect(rig.guest().readConfig(offset, width)).toBe(2 ** (8 * width) - 1);
  }
  expect(rig.guest().readConfig(4, 2) & 7).toBe(7);
});
