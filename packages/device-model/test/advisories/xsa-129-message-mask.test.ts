import { expect, it } from 'vitest';
import { bytesWritten, fullCard, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';

it('XSA-129: the mask bits in the device are the host’s: not shown, not written', () => {
  const image = fullCard();
  image.config[at.msi + 3] = 0x01;
  const rig = runningRig(image);
  rig.device.poke(at.msi + 16, 0xff, 0xff, 0xff, 0xff);
  const since = rig.device.writes.length;
  for (const value of [1, 0, 0xffff_ffff]) {
    for (const width of [1, 2, 4]) rig.guest().writeConfig(at.msi + 16, value, width);
    expect(rig.guest().readConfig(at.msi + 16)).toBe(value & 1);
  }
  expect(bytesWritten(rig, since)).toEqual(new Set());
});
