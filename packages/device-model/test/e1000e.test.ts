import { describe, expect, it } from 'vitest';
import { at } from './support/network-card.js';
import { cardName, home, makeRig, placeAll, slot } from './support/rig.js';
import type { Guest } from './support/guest.js';
import { unmaskedFlag } from '../src/message.js';

const table = home.bar3;
const enable = 0x8000;
const functionMask = 0x4000;

function writeEntry(guest: Guest, entry: number, low: number, high: number, data: number): void {
  guest.writeMemory(table + entry * 16, low);
  guest.writeMemory(table + entry * 16 + 4, high);
  guest.writeMemory(table + entry * 16 + 8, data);
}

function setMask(guest: Guest, entry: number, masked: boolean): void {
  guest.writeMemory(table + entry * 16 + 12, masked ? 1 : 0);
}

function msixControl(guest: Guest, bits: number): void {
  guest.writeConfig(at.msix + 2, bits | 4, 2);
}

/**
 * What Linux does in pci_alloc_irq_vectors: enable with the function masked, mask all, program, unmask the function.
 */
function linuxEnable(guest: Guest, message: (entry: number) => readonly [number, number, number]): void {
  msixControl(guest, enable | functionMask);
  for (let entry = 0; entry < 3; entry += 1) {
    setMask(guest, entry, true);
    writeEntry(guest, entry, ...message(entry));
  }
  for (let entry = 0; entry < 5; entry += 1) setMask(guest, entry, true);
  msixControl(guest, enable);
}

const vectors = (entry: number) => [0xfee0_1000, 0, 0x4030 + entry] as const;
const pirqs = (entry: number) => [0xfee0_0000 | ((40 + entry) << 12), 0, 0x4300] as const;

describe('a stock e1000e driver', () => {
  it('finds the sizes that the card has, and no host address', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    expect(guest.readConfig(0x00)).toBe(0x10d3_8086);
    expect([0, 1, 2, 3, 4, 5].map((index) => guest.readConfig(0x10 + index * 4) & ~15)).toEqual([0, 0, 0, 0, 0, 0]);
    expect([0, 1, 2, 3].map((index) => guest.sizeOfBar(index))).toEqual([0x2_0000, 0x2_0000, 0x20, 0x4000]);
    expect(rig.hypervisor.count('mapMemory')).toBe(0);
    expect(rig.device.writes.filter(({ offset }) => offset >= 0x10 && offset < 0x34)).toEqual([]);
  });

  it('gets each BAR mapped once, without the page of the table, when decode goes on', () => {
    const rig = makeRig();
    rig.attach();
    placeAll(rig.guest());
    const bar = (index: number) => rig.device.image.resources[index]?.start ?? 0n;
    expect(rig.hypervisor.mappedFrames()).toEqual([
      [0xf0000n, bar(0) >> 12n, 32n],
      [0xf0020n, bar(1) >> 12n, 32n],
      [0xf0041n, (bar(3) >> 12n) + 1n, 3n],
    ]);
    expect(rig.hypervisor.isClaimed(BigInt(table))).toBe(true);
    expect(rig.hypervisor.isClaimed(BigInt(table + 0xfff))).toBe(true);
    expect(rig.hypervisor.isClaimed(BigInt(table + 0x1000))).toBe(false);
    expect(rig.hypervisor.calls.filter(({ name }) => name === 'mapPorts')).toEqual([
      { name: 'mapPorts', arguments: [0xc000, 0xd100, 0x20] },
    ]);
    expect(rig.device.command & 0x0407).toBe(0x0007);
  });

  it('has its vectors bound at unmask, each to its own message', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, vectors);
    expect(rig.device.msixEnabled).toBe(true);
    expect(rig.device.msixFunctionMasked).toBe(false);
    expect(rig.hypervisor.count('bindMsi')).toBe(0);
    for (let entry = 0; entry < 3; entry += 1) setMask(guest, entry, false);
    const binds = rig.hypervisor.calls.filter(({ name }) => name === 'bindMsi').map((call) => call.arguments);
    expect(binds).toEqual([0, 1, 2].map((entry) => [79 - entry, 0x30 + entry, unmaskedFlag | 0x01, BigInt(table)]));
    const maps = rig.hypervisor.calls.filter(({ name }) => name === 'mapMsi').map((call) => call.arguments[0]);
    const { sbdf } = rig.device.image;
    const tableBase = rig.device.image.resources[3]?.start;
    expect(maps).toEqual([0, 1, 2].map((entry) => ({ sbdf, entry, tableBase, pirq: -1, vectorCount: 1 })));
  });

  it('gets the pirqs it asks for when it takes interrupts as events', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, pirqs);
    for (let entry = 0; entry < 3; entry += 1) setMask(guest, entry, false);
    const maps = rig.hypervisor.calls.filter(({ name }) => name === 'mapMsi');
    expect(maps.map((call) => (call.arguments[0] as { pirq: number }).pirq)).toEqual([40, 41, 42]);
    const binds = rig.hypervisor.calls.filter(({ name }) => name === 'bindMsi').map((call) => call.arguments);
    expect(binds.map(([pirq, vector]) => [pirq, vector])).toEqual([
      [40, 0],
      [41, 0],
      [42, 0],
    ]);
  });

  it('gets its pirqs although it never writes vector control, as Linux on Xen', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    msixControl(guest, enable | functionMask);
    for (let entry = 0; entry < 3; entry += 1) writeEntry(guest, entry, ...pirqs(entry));
    expect(rig.hypervisor.count('bindMsi')).toBe(0);
    msixControl(guest, enable);
    const maps = rig.hypervisor.calls.filter(({ name }) => name === 'mapMsi');
    expect(maps.map((call) => (call.arguments[0] as { pirq: number }).pirq)).toEqual([40, 41, 42]);
    expect(rig.hypervisor.count('bindMsi')).toBe(3);
  });

  it('does not get a pirq that another entry has', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, () => pirqs(0));
    const maps = rig.hypervisor.calls.filter(({ name }) => name === 'mapMsi');
    expect(maps.map((call) => (call.arguments[0] as { pirq: number }).pirq)).toEqual([40, -1, -1]);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('binds entries that were unmasked before enable, before hardware goes on', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    writeEntry(guest, 0, ...vectors(0));
    setMask(guest, 0, false);
    expect(rig.hypervisor.count('bindMsi')).toBe(0);
    msixControl(guest, enable);
    expect(rig.hypervisor.count('bindMsi')).toBe(1);
    expect(rig.device.writes.at(-1)).toEqual({ offset: at.msix + 2, width: 2, value: enable | 4 });
  });

  it('binds nothing while the function is masked, and everything due when it no longer is', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    msixControl(guest, enable | functionMask);
    expect([rig.device.msixEnabled, rig.device.msixFunctionMasked]).toEqual([true, true]);
    for (let entry = 0; entry < 2; entry += 1) {
      writeEntry(guest, entry, ...vectors(entry));
      setMask(guest, entry, false);
    }
    expect(rig.hypervisor.count('bindMsi')).toBe(0);
    msixControl(guest, enable);
    expect(rig.hypervisor.count('bindMsi')).toBe(2);
    msixControl(guest, enable | functionMask);
    msixControl(guest, enable);
    expect(rig.hypervisor.count('bindMsi')).toBe(2);
  });

  it('keeps the old message of an entry that is changed unmasked, until it unmasks again', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, vectors);
    setMask(guest, 0, false);
    guest.writeMemory(table + 8, 0x4055);
    expect(rig.hypervisor.count('bindMsi')).toBe(1);
    setMask(guest, 0, false);
    setMask(guest, 0, false);
    expect(rig.hypervisor.count('bindMsi')).toBe(2);
    expect(rig.hypervisor.calls.at(-1)?.arguments.slice(0, 2)).toEqual([79, 0x55]);
    expect(rig.hypervisor.count('mapMsi')).toBe(1);
  });

  it('takes a qword that unmasks together with its data', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    msixControl(guest, enable);
    guest.writeMemory(table, 0xfee0_2000n, 8);
    guest.writeMemory(table + 8, 0x0000_0000_0000_0041n, 8);
    expect(rig.hypervisor.calls.at(-1)).toEqual({
      name: 'bindMsi',
      arguments: [79, 0x41, unmaskedFlag | 2, BigInt(table)],
    });
    expect(guest.readMemory(table + 8, 8)).toBe(0x41n);
  });

  it('gives everything back at disable, hardware first, and may enable again', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    for (let round = 0; round < 3; round += 1) {
      linuxEnable(guest, vectors);
      for (let entry = 0; entry < 3; entry += 1) setMask(guest, entry, false);
      msixControl(guest, 0);
      expect(rig.device.msixEnabled).toBe(false);
      expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
    }
    expect(rig.hypervisor.violations).toEqual([]);
    expect(rig.hypervisor.count('bindMsi')).toBe(9);
  });

  it('does nothing new when enabled twice or disabled twice', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    msixControl(guest, 0);
    linuxEnable(guest, vectors);
    setMask(guest, 0, false);
    const calls = rig.hypervisor.calls.length;
    const writes = rig.device.writes.length;
    msixControl(guest, enable);
    expect([rig.hypervisor.calls.length, rig.device.writes.length]).toEqual([calls, writes]);
    msixControl(guest, 0);
    const afterDisable = rig.hypervisor.calls.length;
    msixControl(guest, 0);
    expect(rig.hypervisor.calls.length).toBe(afterDisable);
  });

  it('is followed when it moves the BAR with the table while enabled', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, vectors);
    for (let entry = 0; entry < 3; entry += 1) setMask(guest, entry, false);
    const moved = 0xf100_0000;
    guest.placeBar(3, moved);
    expect(rig.hypervisor.violations).toEqual([]);
    const last = rig.hypervisor.calls.filter(({ name }) => name === 'bindMsi').slice(-3);
    expect(last.map((call) => call.arguments[3])).toEqual([BigInt(moved), BigInt(moved), BigInt(moved)]);
    expect(rig.hypervisor.count('mapMsi')).toBe(3);
    expect(rig.device.msixEnabled).toBe(true);
    expect(guest.readMemory(moved + 8)).toBe(0x4030n);
    expect(guest.readMemory(table + 8)).toBe(0xffff_ffffn);
  });

  it('keeps its pirqs while decode is off, and is bound again when it is back', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, vectors);
    setMask(guest, 0, false);
    guest.command(0);
    expect(rig.device.msixEnabled).toBe(false);
    expect(rig.hypervisor.mappedFrames()).toEqual([]);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16, 79]);
    guest.command(7);
    expect(rig.device.msixEnabled).toBe(true);
    expect(rig.hypervisor.count('bindMsi')).toBe(2);
    guest.command(0);
    msixControl(guest, 0);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('makes no host call by enabling MSI-X before its table is anywhere', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    const before = rig.hypervisor.calls.length;
    const writes = rig.device.writes.length;
    msixControl(guest, enable);
    expect(rig.hypervisor.calls.length).toBe(before);
    expect(rig.device.writes.length).toBe(writes);
    placeAll(guest);
    expect(rig.device.msixEnabled).toBe(true);
  });

  it('sees its own table, and beside it what the device has there', () => {
    const rig = makeRig({ barAccess: true });
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    writeEntry(guest, 4, 1, 2, 3);
    expect(guest.readMemory(table + 4 * 16 + 8)).toBe(3n);
    expect(guest.readMemory(table + 4 * 16 + 12)).toBe(1n);
    const beside = rig.device.bar(3).peek(5 * 16, 4);
    guest.writeMemory(table + 5 * 16, 7);
    expect(rig.device.bar(3).peek(5 * 16, 4)).toBe(beside);
    expect(guest.readMemory(table + 5 * 16)).toBe(beside);
    expect(guest.readMemory(table + 0xff8, 8)).toBe(rig.device.bar(3).peek(0xff8, 8));
    expect(guest.readMemory(table + 2, 2)).toBe(0xffffn);
    expect(guest.readMemory(table + 2, 1)).toBe(0xffn);
    expect(guest.readMemory(table + 2, 4)).toBe(0xffff_ffffn);
  });

  it('leaves nothing behind', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    linuxEnable(guest, vectors);
    for (let entry = 0; entry < 3; entry += 1) setMask(guest, entry, false);
    expect(rig.model.view(cardName).vectors.map(({ bound, pirq }) => [bound, pirq])).toEqual([
      [true, 79],
      [true, 78],
      [true, 77],
      [false, null],
      [false, null],
    ]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
    expect(rig.device.command & 0x0407).toBe(0x0400);
    expect(rig.device.closeCount).toBe(1);
    expect(guest.readConfig(0)).toBe(0xffff_ffff);
    expect(rig.faults).toEqual([]);
    rig.model.attach({ sbdf: cardName, guestDevfn: slot });
    expect(guest.readConfig(0)).toBe(0x10d3_8086);
  });
});
