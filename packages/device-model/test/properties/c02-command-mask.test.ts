import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';

it('C2: of COMMAND a guest changes bus master and INTx disable in the device, and no other bit', () => {
  const rig = runningRig();
  for (let bit = 0; bit < 16; bit += 1) {
    for (const background of [0x0000, 0xffff, 0x0003, 0x0407]) {
      const before = rig.device.command;
      rig.guest().command(background ^ (1 << bit));
      expect((rig.device.command ^ before) & ~0x0404).toBe(0);
    }
  }
  expect(rig.device.violations).toEqual([]);
});

it('C2: toggling decode loses no other bit of the same write (Xen 0290d553e0)', () => {
  const rig = runningRig();
  rig.guest().command(0x0000);
  rig.guest().command(0x0547);
  expect(rig.guest().readConfig(4, 2) & 0x0747).toBe(0x0547);
  expect(rig.device.command & 4).toBe(4);
});
