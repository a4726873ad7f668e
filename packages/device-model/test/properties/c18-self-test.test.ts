import { expect, it } from 'vitest';
import { bytesWritten, runningRig } from '../support/full-card.js';

it('C18: a self test is never started', () => {
  const rig = runningRig();
  rig.device.poke(0x0f, 0x80);
  const since = rig.device.writes.length;
  rig.guest().writeConfig(0x0f, 0xc0, 1);
  rig.guest().writeConfig(0x0e, 0x4000, 2);
  rig.guest().writeConfig(0x0c, 0x4000_0000);
  expect(bytesWritten(rig, since)).toEqual(new Set());
  expect(rig.guest().readConfig(0x0f, 1)).toBe(0x80);
});
