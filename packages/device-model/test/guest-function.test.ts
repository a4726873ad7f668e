import { Core } from '@xenpt/core-wasm';
import { buildGuestView, type FunctionImage } from '@xenpt/pci';
import { describe, expect, it } from 'vitest';
import { allOnes, GuestFunction } from '../src/guest-function.js';
import { Statistics } from '../src/statistics.js';
import { FakeDevice } from '../src/testing/index.js';
import { at, networkCard } from './support/network-card.js';
import { home } from './support/rig.js';

function makeFunction(image: FunctionImage = networkCard({ vpd: true, command: 0x0003 })) {
  const device = new FakeDevice(image);
  const statistics = new Statistics();
  const guest = new GuestFunction(new Core(), buildGuestView(image), image, device, { statistics });
  return { device, guest, statistics };
}

function place(guest: GuestFunction): void {
  guest.writeConfig(4, 2, 0);
  for (const [index, address] of Object.values(home).entries()) guest.writeConfig(0x10 + index * 4, 4, address);
}

describe('GuestFunction', () => {
  it('writes nothing itself: what shall happen comes back as effects, in order', () => {
    const { device, guest } = makeFunction();
    place(guest);
    const effects = guest.writeConfig(4, 2, 0x0007);
    expect(effects.map(({ type }) => type)).toEqual([
      'writeConfig',
      'mapBar',
      'mapBar',
      'mapBar',
      'mapBar',
      'claimTable',
    ]);
    expect(effects[0]).toEqual({ type: 'writeConfig', offset: 4, width: 1, value: 0x07 });
    expect(device.writes).toEqual([]);
  });

  it('turns bus master off before it takes the BARs away', () => {
    const { guest } = makeFunction();
    place(guest);
    guest.writeConfig(4, 2, 0x0007);
    const types = guest.writeConfig(4, 2, 0).map(({ type }) => type);
    expect(types[0]).toBe('writeConfig');
    expect(types.slice(1).toSorted()).toEqual(['releaseTable', 'unmapBar', 'unmapBar', 'unmapBar', 'unmapBar']);
  });

  it('unmaps the old place before it maps the new one, in one access', () => {
    const { guest } = makeFunction();
    place(guest);
    guest.writeConfig(4, 2, 0x0003);
    const moved = home.bar3 + 0x10_0000;
    expect(guest.writeConfig(0x1c, 4, moved).map(({ type }) => type)).toEqual([
      'releaseTable',
      'unmapBar',
      'mapBar',
      'claimTable',
    ]);
    const offsets = [moved - 1, moved, moved + 0xfff, moved + 0x1000].map((address) => {
      return guest.windowAt(address)?.offsetOf(address);
    });
    expect(offsets).toEqual([undefined, 0, 0xfff, undefined]);
    expect(guest.windowAt(home.bar3)).toBe(null);
  });

  it('maps a BAR that was refused for an overlap as soon as the other one is gone', () => {
    const { guest } = makeFunction();
    place(guest);
    guest.writeConfig(0x14, 4, home.bar0);
    guest.writeConfig(4, 2, 0x0002);
    expect(guest.bars[1]?.refusal).toBe('overlap');
    const effects = guest.writeConfig(0x10, 4, 0xf800_0000);
    expect(effects.map((effect) => ('bar' in effect ? [effect.type, effect.bar] : []))).toEqual([
      ['unmapBar', 0],
      ['mapBar', 0],
      ['mapBar', 1],
    ]);
  });

  it.each([
    ['msi', at.msi + 2, 0x0081, 0x0080],
    ['msi-x', at.msix + 2, 0x8000, 0x0000],
  ] as const)('turns %s on after the bind, and off before anything is unbound', (kind, offset, on, off) => {
    const { guest } = makeFunction();
    place(guest);
    guest.writeConfig(4, 2, 2);
    guest.writeTable(8, 4, 0x4041, 0);
    guest.writeTable(12, 4, 0, 0);
    expect(guest.writeConfig(offset, 2, on).map(({ type }) => type)).toEqual([
      ...(kind === 'msi' ? ['mapMessages'] : []),
      'bindMessage',
      'writeMessageControl',
    ]);
    guest.settle(kind, 0, true);
    expect(guest.writeConfig(offset, 2, off).map(({ type }) => type)).toEqual([
      'writeMessageControl',
      'unbindMessages',
    ]);
    expect(guest.writeConfig(offset, 2, off)).toEqual([]);
  });

  it('never serves the ROM, and never tells hardware of it', () => {
    const { guest } = makeFunction();
    expect(guest.writeConfig(0x30, 4, 0xf100_0001)).toEqual([]);
    expect(guest.writeConfig(4, 2, 2).map(({ type }) => type)).toEqual(['writeConfig']);
    expect(guest.readConfig(0x30, 4)).toBe(0xf100_0001);
  });

  it('starts a read of vital product data, and never a write', () => {
    const { guest } = makeFunction();
    expect(guest.writeConfig(at.vpd + 2, 2, 0x8004)).toEqual([
      { type: 'writeConfig', offset: at.vpd + 2, width: 2, value: 0x0004 },
    ]);
    expect(guest.writeConfig(at.vpd + 4, 4, 0xdead_beef)).toEqual([]);
  });

  it('counts writes of which nothing can take effect', () => {
    const { guest, statistics } = makeFunction();
    for (const [offset, width] of [
      [0x00, 4],
      [0x08, 4],
      [0x3d, 1],
      [0x40, 4],
      [0x100, 4],
      [0x05, 2],
      [-4, 4],
      [0, 3],
    ] as const) {
      expect(guest.writeConfig(offset, width, 0xffff_ffff)).toEqual([]);
    }
    expect(statistics.counts.deniedWrites).toBe(8);
    guest.writeConfig(0x0c, 1, 8);
    expect(statistics.counts.deniedWrites).toBe(8);
  });

  it('answers every access that configuration space does not know with all ones', () => {
    const { guest } = makeFunction();
    for (const [offset, width] of [
      [0x100, 4],
      [0xffc, 4],
      [-4, 4],
      [2, 4],
      [1, 2],
      [0, 0],
      [0, 3],
      [0, 8],
      [0.5, 1],
      [Number.NaN, 4],
    ] as const) {
      expect(guest.readConfig(offset, width)).toBe(allOnes(width));
    }
  });

  it('agrees with itself in all widths: bytes and words are parts of the dword', () => {
    const { guest } = makeFunction();
    place(guest);
    for (let offset = 0; offset < 256; offset += 4) {
      const dword = guest.readConfig(offset, 4);
      const bytes = [0, 1, 2, 3].map((index) => guest.readConfig(offset + index, 1));
      const words = [0, 2].map((index) => guest.readConfig(offset + index, 2));
      expect(bytes.reduceRight((value, byte) => ((value << 8) | byte) >>> 0, 0)).toBe(dword);
      expect((((words[1] ?? 0) << 16) | (words[0] ?? 0)) >>> 0).toBe(dword);
    }
  });

  it('does not show the host where its BARs are', () => {
    const { guest, device } = makeFunction();
    for (let offset = 0x10; offset < 0x34; offset += 4) {
      const flags = device.read(offset, 4) & 15;
      expect(guest.readConfig(offset, 4) & ~15 & ~flags).toBe(0);
    }
  });
});
