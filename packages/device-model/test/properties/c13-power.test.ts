import { expect, it } from 'vitest';
import { bytesWritten, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';
import { home } from '../support/rig.js';

const state = at.powerManagement + 4;

it('C13: power state and power event enable never reach the device', () => {
  const rig = runningRig();
  const since = rig.device.writes.length;
  for (const value of [0x0001, 0x0002, 0x0003, 0x8100, 0xffff, 0x0000]) rig.guest().writeConfig(state, value, 2);
  const power = [...bytesWritten(rig, since)].filter((byte) => byte >= at.powerManagement && byte < state + 4);
  expect(power).toEqual([]);
  expect(rig.guest().readConfig(state, 2)).toBe(0x0008);
});

it.each([1, 2, 3])('C13: in D%i nothing of the function is mapped or forwarded, and D0 brings it back', (asleep) => {
  const rig = runningRig();
  const mapped = rig.hypervisor.mappedFrames();
  rig.guest().writeConfig(state, asleep, 2);
  expect(rig.guest().readConfig(state, 1) & 3).toBe(asleep);
  expect(rig.hypervisor.mappedFrames()).toEqual([]);
  expect(rig.guest().readMemory(home.bar3)).toBe(0xffff_ffffn);
  const since = rig.device.writes.length;
  rig.guest().command(0x0003);
  rig.guest().writeConfig(at.vpd + 2, 0x0010, 2);
  rig.guest().writeConfig(at.msi + 2, 0x0081, 2);
  expect(rig.device.writes.slice(since)).toEqual([]);
  rig.guest().writeConfig(state, 0, 2);
  expect(rig.hypervisor.mappedFrames()).toEqual(mapped);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('C13: interrupts come back as the guest left them', () => {
  const rig = runningRig();
  rig.guest().writeMemory(home.bar3, 0xfee0_0000);
  rig.guest().writeMemory(home.bar3 + 8, 0x4030);
  rig.guest().writeMemory(home.bar3 + 12, 0);
  rig.guest().writeConfig(at.msix + 2, 0x8000, 2);
  expect(rig.device.msixEnabled).toBe(true);
  rig.guest().writeConfig(state, 3, 2);
  expect(rig.device.msixEnabled).toBe(false);
  rig.guest().writeConfig(state, 0, 2);
  expect(rig.device.msixEnabled).toBe(true);
  expect(rig.model.view('0000:01:00.0').vectors[0]).toMatchObject({ bound: true });
  expect(rig.hypervisor.violations).toEqual([]);
});
