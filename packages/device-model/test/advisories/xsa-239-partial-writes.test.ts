import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';

it('XSA-239: what a narrow write does not cover stays as it was', () => {
  const rig = runningRig();
  rig.guest().command(0);
  rig.guest().writeConfig(0x10, 0xf123_0000);
  rig.guest().writeConfig(0x13, 0xe0, 1);
  expect(rig.guest().readConfig(0x10)).toBe(0xe022_0000);
  rig.guest().writeConfig(0x12, 0xf144, 2);
  expect(rig.guest().readConfig(0x10)).toBe(0xf144_0000);
});
