import { expect, it } from 'vitest';
import { everyAccess, runningRig } from '../support/full-card.js';

it('C10: of a device that is gone a guest reads all ones, of exactly the width, where it would read the device', () => {
  const rig = runningRig();
  rig.device.poke(0x84, 0x12, 0x34, 0x56, 0x78);
  expect(rig.guest().readConfig(0x84)).toBe(0x7856_3412);
  rig.device.present = false;
  expect([1, 2, 4].map((width) => rig.guest().readConfig(0x84, width))).toEqual([0xff, 0xffff, 0xffff_ffff]);
});

it('C10: every access but those of a bus answers all ones, without a byte of the access before', () => {
  const rig = runningRig();
  for (const [offset, width] of everyAccess) {
    rig.guest().readConfig(offset, width);
    expect(rig.guest().readConfig(0x100 + offset, 4)).toBe(0xffff_ffff);
    expect(rig.guest().readConfig(offset | 1, 4)).toBe(0xffff_ffff);
  }
});

it('C10: a device that is gone is not written: what was read there must not come back', () => {
  const rig = runningRig();
  rig.device.poke(0, ...Array.from({ length: 256 }, () => 0xff));
  const since = rig.device.writes.length;
  rig.guest().command(0x0003);
  expect(rig.device.writes.slice(since)).toEqual([]);
});
