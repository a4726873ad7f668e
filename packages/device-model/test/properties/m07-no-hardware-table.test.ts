import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { cardName, home } from '../support/rig.js';

it('M7: table, vector control and pending bits are never written in the device; pending bits are read there', () => {
  const resources = [memoryBar(3, 0xe004_0000n, 0x1000n)];
  const image = networkCard({ resources, msixTable: 0x0003, msixPending: 0x0803, command: 3 });
  const rig = runningRig(image, { barAccess: true });
  rig.device.bar(3).write(0x900, 8, 1, 0);
  const before = rig.device.bar(3).peek(0x800, 8);
  enableMsix(rig);
  for (let entry = 0; entry < 5; entry += 1) unmaskEntry(rig, entry);
  for (const size of [1, 2, 4, 8]) rig.guest().writeMemory(home.bar3 + 0x800, 0xffn, size);
  expect(rig.guest().readMemory(home.bar3 + 0x800, 8)).toBe(before);
  rig.guest().placeBar(3, home.bar3 + 0x10_0000);
  rig.model.detach(cardName);
  expect(rig.device.barAccesses.filter(({ written, offset }) => written !== null && offset !== 0x900)).toEqual([]);
  rig.hypervisor.assertBaseline();
});

it('M7: where Xen writes beside a bound table itself, a write is not made twice', () => {
  for (const writesBesideTable of [false, true]) {
    const rig = runningRig(networkCard({ command: 3 }), { barAccess: true, hypervisor: { writesBesideTable } });
    rig.guest().writeMemory(home.bar3 + 0x800, 1);
    enableMsix(rig);
    unmaskEntry(rig, 0);
    rig.guest().writeMemory(home.bar3 + 0x800, 2);
    expect(rig.device.bar(3).peek(0x800, 4)).toBe(writesBesideTable ? 1n : 2n);
  }
});
