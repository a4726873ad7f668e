import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { cardName, home } from '../support/rig.js';

it('M7: table, vector control and pending bits are never written in the device; pending bits are read there', () => {
  const resources = [memoryBar(3, 0xe004_0000n, 0x1000n)];
  const image = networkCard({ resources, msixTable: 0x0003, msixPending: 0x0803, command: 3 });
  const rig = runningRig(image, { barAccess: true });
  const before = rig.device.bar(3).peek(0x800, 8);
  enableMsix(rig);
  for (let entry = 0; entry < 5; entry += 1) unmaskEntry(rig, entry);
  for (const size of [1, 2, 4, 8]) rig.guest().writeMemory(home.bar3 + 0x800, 0xffn, size);
  expect(rig.guest().readMemory(home.bar3 + 0x800, 8)).toBe(before);
  rig.guest().placeBar(3, home.bar3 + 0x10_0000);
  rig.model.detach(cardName);
  expect(rig.device.barAccesses.filter(({ written }) => written !== null)).toEqual([]);
  rig.hypervisor.assertBaseline();
});

it('M7: nor is anything beside them on their pages, where a write of ours would never end; other pages are', () => {
  const rig = runningRig(networkCard({ command: 3 }), { barAccess: true });
  const { device } = rig;
  const before = [0x800, 0x2800].map((offset) => device.bar(3).peek(offset, 4));
  for (const offset of [0x800, 0x2800]) rig.guest().writeMemory(home.bar3 + offset, 1);
  expect([0x800, 0x2800].map((offset) => device.bar(3).peek(offset, 4))).toEqual(before);
  rig.guest().writeMemory(home.bar3 + 0x1800, 1);
  expect(device.bar(3).peek(0x1800, 4)).toBe(1n);
  expect(rig.guest().readMemory(home.bar3 + 0x800)).toBe(before[0]);
  expect([rig.hypervisor.violations, rig.faults]).toEqual([[], []]);
});

it.each([
  ['its pending bits are on its table', { msixTable: 0x2003, msixPending: 0x2003 }, [[3, 0x2800]]],
  ['its table ends behind its BAR', { msixTable: 0x3fc3, msixPending: 0x2003 }, [[3, 0x2800]]],
  [
    'its table is in the next BAR',
    { msixTable: 0x2_0000, msixPending: 0x0003 },
    [
      [1, 0x800],
      [3, 0x800],
    ],
  ],
] as const)('M7: nor when the guest has no MSI-X, because %s: Xen goes by what the device says', (_, where, kept) => {
  const rig = runningRig(networkCard({ command: 3, ...where }), { barAccess: true });
  const write = (index: number, offset: number) => {
    rig.guest().writeMemory((index === 3 ? home.bar3 : home.bar1) + offset, 1);
    return rig.device.bar(index).peek(offset, 4) === 1n;
  };
  for (const [index, offset] of kept) expect(write(index, offset)).toBe(false);
  expect(write(3, 0x1800)).toBe(true);
  expect(rig.model.view(cardName).hidden.map(({ id }) => id)).toEqual([0x11]);
  expect([rig.hypervisor.violations, rig.device.violations, rig.faults]).toEqual([[], [], []]);
});
