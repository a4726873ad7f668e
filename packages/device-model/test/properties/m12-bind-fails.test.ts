import { describe, expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { controls, enableMsix, unmaskEntry } from '../support/messages.js';
import { boundVectors, enableVectors, maskBits, msiControl, msiRig, writeMessage } from '../support/msi-card.js';
import { cardName } from '../support/rig.js';

describe.each(['mapMsi', 'bindMsi'] as const)('M12: after a refused %s', (call) => {
  it('an MSI-X entry waits for its next unmasking, and the others work', () => {
    const rig = runningRig();
    enableMsix(rig);
    rig.hypervisor.failAt(call, 'ENOSPC');
    for (let entry = 0; entry < 3; entry += 1) unmaskEntry(rig, entry);
    expect(boundVectors(rig).sort()).toEqual([0x31, 0x32]);
    unmaskEntry(rig, 0);
    expect(boundVectors(rig).sort()).toEqual([0x30, 0x31, 0x32]);
    rig.guest().writeConfig(controls.msix, 0, 2);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
    expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
  });

  it('MSI without masks stays off in the device, until the guest enables it again', () => {
    const rig = msiRig(msiControl.plain);
    rig.hypervisor.failAt(call, 'EINVAL');
    enableVectors(rig);
    expect(rig.device.msiEnabled).toBe(false);
    enableVectors(rig, 0);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
    enableVectors(rig);
    expect([rig.device.msiEnabled, boundVectors(rig).length]).toEqual([true, 8]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });

  it('or until it writes another message', () => {
    const rig = msiRig(msiControl.plain);
    rig.hypervisor.failAt(call, 'EINVAL');
    enableVectors(rig);
    writeMessage(rig, 0xfee0_2000, 0x4058);
    expect([rig.device.msiEnabled, boundVectors(rig).length]).toEqual([true, 8]);
    expect(rig.hypervisor.violations).toEqual([]);
  });
});

it('M12: one vector of several that is refused is masked in the device, and comes with its next unmasking', () => {
  const rig = msiRig();
  rig.hypervisor.failAt('bindMsi', 'EINVAL');
  enableVectors(rig);
  expect([rig.device.msiEnabled, boundVectors(rig)]).toEqual([true, [0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f]]);
  rig.guest().writeConfig(maskBits, 1);
  rig.guest().writeConfig(maskBits, 0);
  expect(boundVectors(rig)).toHaveLength(8);
});
