import { expect, it } from 'vitest';
import { everyAccess, runningRig } from '../support/full-card.js';

it('XSA-120: no write of zeros, wherever it starts and however wide it is, ends decoding in the device', () => {
  const rig = runningRig();
  for (const [offset, width] of everyAccess.filter(([offset]) => offset < 8)) {
    rig.guest().writeConfig(offset, 0, width);
    expect(rig.device.command & 3).toBe(3);
  }
  expect(rig.device.violations).toEqual([]);
});
