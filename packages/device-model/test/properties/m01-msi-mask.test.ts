import { expect, it } from 'vitest';
import { bytesWritten } from '../support/full-card.js';
import { boundVectors, enableVectors, maskBits, msiControl, msiRig } from '../support/msi-card.js';
import { cardName } from '../support/rig.js';

const allVectors = [0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f];

it('M1: the guest reads its own masks; bind and unbind do what they mean, and nothing reaches the device', () => {
  const rig = msiRig();
  enableVectors(rig);
  const since = rig.device.writes.length;
  for (const mask of [0x01, 0xff, 0xaa, 0x00, 0xffff_ffff, 0x80]) {
    rig.guest().writeConfig(maskBits, mask);
    expect(rig.guest().readConfig(maskBits)).toBe(mask & 0xff);
    expect(boundVectors(rig)).toEqual(allVectors.filter((_, vector) => ((mask >>> vector) & 1) === 0));
  }
  expect(bytesWritten(rig, since)).toEqual(new Set());
  expect(rig.hypervisor.count('mapMsi')).toBe(2);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});

it('M1: vectors masked before they are enabled wait for their unmasking, all of them too', () => {
  const rig = msiRig();
  rig.guest().writeConfig(maskBits, 0xff);
  enableVectors(rig);
  expect([rig.device.msiEnabled, boundVectors(rig)]).toEqual([true, []]);
  rig.guest().writeConfig(maskBits, 0xfb);
  expect(boundVectors(rig)).toEqual([0x4a]);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('M1: pending bits are the device’s, and a card without masks has neither', () => {
  const rig = msiRig();
  rig.device.poke(maskBits + 4, 0x05, 0, 0, 0);
  rig.guest().writeConfig(maskBits + 4, 0);
  expect(rig.guest().readConfig(maskBits + 4)).toBe(5);
  const plain = msiRig(msiControl.plain);
  plain.guest().writeConfig(maskBits, 0xff);
  enableVectors(plain);
  expect(boundVectors(plain)).toEqual(allVectors);
});
