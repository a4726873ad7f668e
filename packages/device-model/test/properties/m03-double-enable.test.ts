import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { controls, enableMsix, unmaskEntry } from '../support/messages.js';
import { boundVectors, enableVectors, msiRig } from '../support/msi-card.js';
import { cardName } from '../support/rig.js';

it('M3: MSI enabled twice is mapped once, and disabled twice given back once', () => {
  const rig = msiRig();
  const probes = rig.hypervisor.count('mapMsi');
  for (let round = 0; round < 3; round += 1) {
    enableVectors(rig);
    rig.guest().command(0x0405);
    rig.guest().command(7);
  }
  expect([rig.hypervisor.count('mapMsi') - probes, rig.hypervisor.count('bindMsi')]).toEqual([1, 8]);
  for (let round = 0; round < 3; round += 1) enableVectors(rig, 0);
  expect([rig.hypervisor.count('unmapPirq') - probes, rig.hypervisor.count('unbindMsi')]).toEqual([1, 8]);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('M3: the kind that is on keeps the other off, and gives way when it goes', () => {
  const rig = msiRig();
  unmaskEntry(rig, 1);
  for (let round = 0; round < 3; round += 1) {
    enableVectors(rig);
    enableMsix(rig);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([true, false]);
    enableVectors(rig, 0);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([false, true]);
    enableVectors(rig);
    rig.guest().writeConfig(controls.msix, 0, 2);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([true, false]);
    expect(boundVectors(rig)).toHaveLength(8);
    enableVectors(rig, 0);
  }
  expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('M3: “exists already” from Xen changes nothing in the books', () => {
  const rig = runningRig();
  rig.hypervisor.failAt('mapMsi', 'EEXIST');
  enableMsix(rig);
  unmaskEntry(rig, 0);
  expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
  unmaskEntry(rig, 0);
  expect(rig.hypervisor.pirqsInUse()).toEqual([16, 79]);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});
