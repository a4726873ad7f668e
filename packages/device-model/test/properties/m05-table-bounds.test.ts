import { describe, expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { home } from '../support/rig.js';

describe.each([
  ['in the middle of a page, its pending bits before it', 5, 0x0803, 0x0403, 0x1000n],
  ['in the middle of a page, its pending bits behind it', 64, 0x0103, 0x0903, 0x2000n],
  ['across a page boundary', 64, 0x0f03, 0x1803, 0x4000n],
  ['in a BAR smaller than a page', 4, 0x0003, 0x0403, 0x0800n],
])('M5: a table %s', (_, msixVectorCount, msixTable, msixPending, sizeBytes) => {
  const start = msixTable & ~7;
  const end = start + 16 * msixVectorCount;
  const makeRig = () => {
    const resources = [memoryBar(3, 0xe004_0000n, sizeBytes)];
    const image = networkCard({ resources, msixVectorCount, msixTable, msixPending, command: 3 });
    return runningRig(image, { barAccess: true });
  };

  it('and its neighbours: every access goes where it belongs, in its own width, and never past the BAR', () => {
    const rig = makeRig();
    const device = rig.device.bar(3);
    const guest = rig.guest();
    for (const size of [1, 2, 4, 8]) {
      for (let offset = start & ~0xfff; offset < ((end + 0xfff) & ~0xfff); offset += size) {
        const beside = (offset < start || offset >= end) && offset + size <= Number(sizeBytes);
        const before = beside ? device.peek(offset, size) : BigInt.asUintN(8 * size, -1n);
        const isTable = offset >= start && offset < end;
        if (!isTable || size < 4) expect(guest.readMemory(home.bar3 + offset, size)).toBe(before);
        guest.writeMemory(home.bar3 + offset, 0x5a, size);
        if (beside) expect(device.peek(offset, size)).toBe(before);
      }
    }
    expect(rig.hypervisor.violations).toEqual([]);
    expect(
      rig.device.barAccesses.filter(({ written, offset }) => written !== null && offset >= start && offset < end),
    ).toEqual([]);
  });
});

it('M5: the last entry of the largest table is one like others, and what is behind it is none', () => {
  const resources = [memoryBar(3, 0xe004_0000n, 0x1_0000n)];
  const image = networkCard({ resources, msixVectorCount: 2048, msixTable: 3, msixPending: 0x8003, command: 3 });
  const rig = runningRig(image);
  enableMsix(rig);
  unmaskEntry(rig, 2047);
  unmaskEntry(rig, 2048);
  expect(rig.hypervisor.count('bindMsi')).toBe(1);
  expect(rig.hypervisor.calls.find(({ name }) => name === 'mapMsi')?.arguments[0]).toMatchObject({ entry: 2047 });
  expect(rig.hypervisor.violations).toEqual([]);
});
