import { expect, it } from 'vitest';
import { fullAt, runningRig } from '../support/full-card.js';

it('XSA-449: a guest cannot make its function send with numbers that are not assigned to it', () => {
  const rig = runningRig();
  const before = rig.device.read(fullAt.express + 8, 2);
  // Phantom functions, bit 9, and the tags that come with them, bit 8.
  for (const value of [0x0200, 0x0300, 0x7fff]) rig.guest().writeConfig(fullAt.express + 8, value, 2);
  rig.guest().writeConfig(fullAt.express + 9, 0x03, 1);
  expect(rig.device.read(fullAt.express + 8, 2)).toBe(before);
});
