import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { at } from '../support/network-card.js';
import { enableVectors, msiControl, msiRig } from '../support/msi-card.js';
import { cardName, home } from '../support/rig.js';

it('M8: a device that moves, grows or shrinks its table after attach changes nothing', () => {
  const rig = runningRig();
  rig.device.poke(at.msix + 2, 0xff, 0x07);
  rig.device.poke(at.msix + 4, 0x00, 0x10, 0x00, 0x00);
  rig.device.poke(at.msix + 8, 0x05, 0xff, 0xff, 0xff);
  expect(rig.guest().readConfig(at.msix + 4)).toBe(3);
  expect(rig.guest().readConfig(at.msix + 2, 2)).toBe(4);
  for (let entry = 0; entry < 8; entry += 1) unmaskEntry(rig, entry);
  enableMsix(rig);
  expect(rig.hypervisor.count('bindMsi')).toBe(5);
  const tables = rig.hypervisor.calls.filter(({ name }) => name === 'bindMsi').map((call) => call.arguments[3]);
  expect(new Set(tables)).toEqual(new Set([BigInt(home.bar3)]));
  expect(rig.hypervisor.violations).toEqual([]);
});

it('M8: nor does one that changes what MSI it is capable of', () => {
  const rig = msiRig(msiControl.plain);
  rig.device.poke(at.msi + 2, 0x0a, 0x01);
  enableVectors(rig, 0x51);
  expect(rig.guest().readConfig(at.msi + 2, 2) & 0x018e).toBe(msiControl.plain);
  expect(rig.hypervisor.count('bindMsi')).toBe(8);
  enableVectors(rig, 0);
  rig.model.detach(cardName);
  expect(rig.hypervisor.held()).toEqual([]);
});
