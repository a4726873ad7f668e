import { expect, it } from 'vitest';
import { bytesWritten, fullAt, runningRig } from '../support/full-card.js';

const { express } = fullAt;

it('C17: no bit of device, link or second device control reaches the device', () => {
  const rig = runningRig();
  const since = rig.device.writes.length;
  for (const offset of [0x08, 0x0a, 0x10, 0x12, 0x28, 0x2a, 0x30, 0x32]) {
    for (const width of [1, 2]) {
      for (const value of [0x0000, 0x7fff & (2 ** (8 * width) - 1)])
        rig.guest().writeConfig(express + offset, value, width);
    }
  }
  expect(bytesWritten(rig, since)).toEqual(new Set());
});

it('C17: payload, request size, phantom functions and tags are the guest’s own memory', () => {
  const rig = runningRig();
  const host = rig.device.read(express + 8, 2);
  rig.guest().writeConfig(express + 8, 0x73ff, 2);
  expect(rig.guest().readConfig(express + 8, 2)).toBe(0x73ff);
  expect(rig.device.read(express + 8, 2)).toBe(host);
  // ARI forwarding, bit 5 of device control 2, cannot even be noted.
  rig.guest().writeConfig(express + 0x28, 0xffff, 2);
  expect(rig.guest().readConfig(express + 0x28, 2) & 0x20).toBe(0);
});
