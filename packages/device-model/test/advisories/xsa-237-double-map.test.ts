import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { controls, enableMsi } from '../support/messages.js';

it('XSA-237: MSI is mapped once, and a failed second bind leaves the first in the books', () => {
  const rig = runningRig();
  enableMsi(rig);
  rig.guest().writeConfig(controls.msi, 0x0001, 2);
  expect(rig.hypervisor.count('mapMsi')).toBe(1);
  rig.hypervisor.failAt('bindMsi', 'EINVAL');
  rig.guest().writeConfig(controls.msi + 10, 0x4041, 2);
  rig.guest().writeConfig(controls.msi + 10, 0x4042, 2);
  expect(rig.hypervisor.count('mapMsi')).toBe(1);
  rig.guest().writeConfig(controls.msi, 0, 2);
  expect(rig.device.msiEnabled).toBe(false);
  rig.model.detach('0000:01:00.0');
  rig.hypervisor.assertBaseline();
});
