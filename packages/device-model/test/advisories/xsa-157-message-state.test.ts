import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { controls, enableMsi, enableMsix, unmaskEntry } from '../support/messages.js';

it('XSA-157: MSI-X enabled while MSI is on changes nothing in the device', () => {
  const rig = runningRig();
  enableMsi(rig);
  unmaskEntry(rig, 0);
  enableMsix(rig);
  expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([true, false]);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('XSA-157: MSI-X enabled while memory decode is off makes no call to Xen', () => {
  const rig = runningRig();
  unmaskEntry(rig, 0);
  rig.guest().command(0);
  const since = rig.hypervisor.calls.length;
  enableMsix(rig);
  expect([rig.device.msixEnabled, rig.hypervisor.calls.slice(since)]).toEqual([false, []]);
});

it('XSA-157: enable twice and disable twice are once', () => {
  const rig = runningRig();
  unmaskEntry(rig, 0);
  for (let round = 0; round < 3; round += 1) enableMsix(rig);
  expect([rig.hypervisor.count('mapMsi'), rig.hypervisor.count('bindMsi')]).toEqual([1, 1]);
  for (let round = 0; round < 3; round += 1) rig.guest().writeConfig(controls.msix, 0, 2);
  expect([rig.hypervisor.count('unmapPirq'), rig.hypervisor.count('unbindMsi')]).toEqual([1, 1]);
  expect(rig.hypervisor.violations).toEqual([]);
});
