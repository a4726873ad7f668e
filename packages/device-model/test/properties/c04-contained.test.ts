import { expect, it } from 'vitest';
import { fullAt, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';

it('C4: a dword over fields of one byte obeys each of them', () => {
  const rig = runningRig();
  rig.guest().writeConfig(0x0c, 0xffff_ffff);
  // Cache line and latency are the guest's, header type is ours, a self test is never started.
  expect(rig.guest().readConfig(0x0c)).toBe(0x0000_ffff);
  rig.guest().writeConfig(0x3c, 0xffff_ffff);
  expect(rig.guest().readConfig(0x3c)).toBe(0x0000_01ff);
  expect(rig.device.violations).toEqual([]);
});

it('C4: a dword that starts at an id writes the control behind it, and neither id nor pointer', () => {
  const rig = runningRig();
  const head = rig.guest().readConfig(at.msix) & 0xffff;
  rig.guest().writeConfig(at.msix, 0x4000_0000);
  expect(rig.guest().readConfig(at.msix)).toBe(0x4004_0000 + head);
  rig.guest().writeConfig(fullAt.vendor, 0xffff_ffff);
  expect(rig.guest().readConfig(fullAt.vendor, 1)).toBe(0x09);
  expect(rig.guest().readConfig(fullAt.vendor + 2, 1)).toBe(0x10);
});

it('C4: a read that contains a field of ours shows ours', () => {
  const rig = runningRig();
  rig.guest().writeConfig(0x0d, 0x40, 1);
  expect((rig.guest().readConfig(0x0c) >>> 8) & 0xff).toBe(0x40);
  expect(rig.guest().readConfig(0x0c, 2) >>> 8).toBe(0x40);
});

it('C4: a byte leaves the fields beside it in its word alone', () => {
  const rig = runningRig();
  rig.guest().writeConfig(0x0c, 0x10, 1);
  rig.guest().writeConfig(0x0d, 0x40, 1);
  expect(rig.guest().readConfig(0x0c, 2)).toBe(0x4010);
});
