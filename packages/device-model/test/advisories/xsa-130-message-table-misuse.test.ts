import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { home } from '../support/rig.js';

it('XSA-130: misuse of an enabled MSI-X table is silent', () => {
  const rig = runningRig();
  enableMsix(rig);
  unmaskEntry(rig, 0);
  const before = rig.reports.length;
  for (let round = 0; round < 200; round += 1) {
    rig.guest().writeMemory(home.bar3, 0xfee0_0000 + round * 0x1000);
    rig.guest().writeMemory(home.bar3 + 2, 0xffff, 2);
    rig.guest().writeMemory(home.bar3 + 0xff0, 0xffff_ffff);
  }
  expect(rig.reports.length - before).toBe(0);
  expect(rig.hypervisor.count('bindMsi')).toBe(1);
  expect(rig.hypervisor.violations).toEqual([]);
});
