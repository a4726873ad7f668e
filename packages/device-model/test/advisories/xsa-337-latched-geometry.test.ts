import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { at } from '../support/network-card.js';
import { home } from '../support/rig.js';

it('XSA-337: a device that moves its table and its list after attach moves nothing', () => {
  const rig = runningRig();
  const before = rig.guest().readConfig(at.msix + 4);
  rig.device.poke(at.msix + 2, 0xff, 0x07, 0x05, 0x00, 0x00, 0x00, 0x05, 0x10);
  rig.device.poke(0x34, 0x00);
  rig.device.poke(0x1c, 0x00, 0x00, 0x00, 0x00);
  expect(rig.guest().readConfig(at.msix + 4)).toBe(before);
  expect(rig.guest().readConfig(at.msix + 2, 2) & 0x07ff).toBe(4);
  expect(rig.guest().readConfig(0x34, 1)).not.toBe(0);
  unmaskEntry(rig, 0);
  enableMsix(rig);
  const bound = rig.hypervisor.calls.find(({ name }) => name === 'bindMsi');
  expect(bound?.arguments[3]).toBe(BigInt(home.bar3));
  expect(rig.hypervisor.violations).toEqual([]);
});
