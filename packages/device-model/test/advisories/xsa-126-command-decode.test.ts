import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { home } from '../support/rig.js';

it('XSA-126: decode off for the guest takes its mapping away; the device keeps answering the bus', () => {
  const rig = runningRig();
  rig.guest().command(0x0004);
  expect(rig.device.command & 3).toBe(3);
  expect(rig.hypervisor.mappedFrames()).toEqual([]);
  expect(rig.guest().readMemory(home.bar3)).toBe(0xffff_ffffn);
});
