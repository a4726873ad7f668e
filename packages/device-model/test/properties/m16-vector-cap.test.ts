import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { cardName, home } from '../support/rig.js';

it('M16: as many vectors as the device has, up to 2048, and no more pirqs than vectors', () => {
  for (const msixVectorCount of [1, 2, 64, 2047, 2048]) {
    const resources = [memoryBar(3, 0xe004_0000n, 0x1_0000n)];
    const image = networkCard({ resources, msixVectorCount, msixTable: 3, msixPending: 0x8003, command: 3 });
    const rig = runningRig(image, { hypervisor: { messagePirqs: 4096 } });
    enableMsix(rig);
    for (let entry = 0; entry < 2100; entry += 1) unmaskEntry(rig, entry);
    expect(rig.hypervisor.count('mapMsi')).toBe(msixVectorCount);
    expect(rig.model.view(cardName).vectors).toHaveLength(msixVectorCount);
    expect(rig.hypervisor.violations).toEqual([]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  }
});

it('M16: a guest that asks for what the host has not gets what there is, and keeps running', () => {
  const rig = runningRig(networkCard({ command: 3 }), { hypervisor: { messagePirqs: 3 } });
  enableMsix(rig);
  for (let entry = 0; entry < 5; entry += 1) unmaskEntry(rig, entry);
  expect(rig.model.view(cardName).vectors.filter(({ bound }) => bound)).toHaveLength(3);
  expect(rig.reports).toEqual(Array(2).fill(expect.stringMatching(/ENOSPC/)));
  expect(rig.guest().readMemory(home.bar3 + 16 * 4 + 8)).toBe(0x4034n);
});
