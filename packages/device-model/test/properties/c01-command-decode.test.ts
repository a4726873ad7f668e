import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';

it.each([0x0000, 0x0001, 0x0002, 0x0004])(
  'C1: decode cleared by %i stays on in the device, and no BAR stays mapped',
  (command) => {
    const rig = runningRig();
    expect(rig.hypervisor.mappedFrames().length).toBeGreaterThan(0);
    rig.guest().command(command);
    expect(rig.device.command & 3).toBe(3);
    expect(rig.guest().readConfig(4, 2) & 3).toBe(command & 3);
    if ((command & 2) === 0) expect(rig.hypervisor.mappedFrames()).toEqual([]);
  },
);

it('C1: by byte and by dword as well, and while memory is decoded the device decodes it', () => {
  const rig = runningRig();
  rig.guest().writeConfig(4, 0, 1);
  expect([rig.device.command & 3, rig.guest().readConfig(4, 1) & 3]).toEqual([3, 0]);
  rig.guest().writeConfig(4, 0x0010_0007, 4);
  expect([rig.device.command & 7, rig.guest().readConfig(4, 1) & 7]).toEqual([7, 7]);
  expect(rig.hypervisor.violations).toEqual([]);
});
