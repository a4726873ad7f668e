import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { home } from '../support/rig.js';

it('M15: MSI-X with decode off, or its BAR nowhere, makes no call and comes on when there is a table', () => {
  for (const leave of ['decode', 'address'] as const) {
    const rig = runningRig();
    unmaskEntry(rig, 0);
    if (leave === 'decode') rig.guest().command(5);
    else rig.guest().placeBar(3, 0);
    const calls = rig.hypervisor.calls.length;
    enableMsix(rig);
    rig.guest().writeConfig(0xa2, 0xc000, 2);
    rig.guest().writeConfig(0xa2, 0x8000, 2);
    expect([rig.hypervisor.calls.length, rig.device.msixEnabled]).toEqual([calls, false]);
    if (leave === 'decode') rig.guest().command(7);
    else rig.guest().placeBar(3, home.bar3);
    expect([rig.hypervisor.count('bindMsi'), rig.device.msixEnabled]).toEqual([1, true]);
    expect(rig.hypervisor.violations).toEqual([]);
  }
});

it('M15: decode that goes off while MSI-X is on turns it off first, and keeps its pirqs for the way back', () => {
  const rig = runningRig();
  enableMsix(rig);
  for (let entry = 0; entry < 3; entry += 1) unmaskEntry(rig, entry);
  for (let round = 0; round < 3; round += 1) {
    rig.guest().command(5);
    expect(rig.device.msixEnabled).toBe(false);
    rig.guest().command(7);
    expect(rig.device.msixEnabled).toBe(true);
  }
  expect([rig.hypervisor.count('mapMsi'), rig.hypervisor.count('bindMsi')]).toEqual([3, 12]);
  expect(rig.hypervisor.violations).toEqual([]);
});
