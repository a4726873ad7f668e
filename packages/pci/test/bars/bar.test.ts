import { describe, expect, it } from 'vitest';

import { type GuestBar, PciError, type Resource } from '../../src/index.js';
import { resolveBars } from '../../src/bars/bar.js';
import { barRegisters } from '../../src/bars/registers.js';
import { io, memory, rom } from '../support/image.js';

const wide = { is64Bit: true, prefetchable: true };

function only(resource: Resource): GuestBar {
  const [bar, ...rest] = resolveBars([resource]);
  if (bar === undefined || rest.length > 0) throw new Error('expected one BAR');
  return bar;
}

/** What a driver finds: writes all ones, reads back. */
function sized(resource: Resource): number[] {
  return barRegisters(only(resource)).map(({ reset, guest }) => (reset | (guest.shadowWrite ?? 0)) >>> 0);
}

describe('sizing', () => {
  it.each<readonly [string, Resource, readonly number[]]>([
    ['128 KiB', memory(0, 0xf000_0000n, 0x2_0000n), [0xfffe_0000]],
    ['2 GiB, prefetchable', memory(0, 0x8000_0000n, 1n << 31n, { prefetchable: true }), [0x8000_0008]],
    ['16 bytes, seen as a page', memory(0, 0xf000_0010n, 16n), [0xffff_f000]],
    ['64-bit, 16 KiB', memory(0, 0xf000_0000n, 0x4000n, wide), [0xffff_c00c, 0xffff_ffff]],
    ['64-bit, 4 GiB', memory(0, 1n << 40n, 1n << 32n, wide), [0x0000_000c, 0xffff_ffff]],
    ['64-bit, 1 TiB', memory(0, 1n << 40n, 1n << 40n, wide), [0x0000_000c, 0xffff_ff00]],
    ['I/O, 32 ports', io(0, 0xc000n, 32n), [0xffff_ffe1]],
    ['I/O, 4 ports', io(0, 0xc000n, 4n), [0xffff_fffd]],
    ['ROM, 256 KiB', rom(0xf000_0000n, 0x4_0000n), [0xfffc_0001]],
    ['ROM, 2 KiB, seen as a page', rom(0xf000_0000n, 2048n), [0xffff_f001]],
  ])('finds %s', (_name, resource, expected) => {
    expect(sized(resource)).toEqual(expected);
  });

  it('starts without an address and reports every change of one', () => {
    for (const register of barRegisters(only(memory(2, 0xf000_0000n, 0x4000n, wide)))) {
      expect(register.reset & ~0xf).toBe(0);
      expect(register.guest.notify).toBe(register.guest.shadowWrite);
    }
  });
});

describe('resolveBars', () => {
  it('keeps what the device has beside what the guest sees', () => {
    expect(only(memory(4, 0xf000_0000n, 64n, { is64Bit: true }))).toEqual({
      index: 4,
      kind: 'memory',
      registerOffset: 0x20,
      upperRegisterOffset: 0x24,
      sizeBytes: 4096n,
      hostSizeBytes: 64n,
      hostStart: 0xf000_0000n,
      is64Bit: true,
      prefetchable: false,
    });
    expect(only(rom(0xf000_0000n, 2048n)).registerOffset).toBe(0x30);
  });

  it('leaves out what the host did not place', () => {
    expect(resolveBars([memory(0, 0n, 0x1000n), memory(1, 0xf000_0000n, 0n)])).toEqual([]);
  });

  it('sorts by index', () => {
    const bars = resolveBars([rom(0xf000_0000n, 2048n), io(1, 0xc000n, 4n), memory(0, 0xf100_0000n, 4096n)]);
    expect(bars.map(({ index }) => index)).toEqual([0, 1, 6]);
  });

  it.each<readonly [string, readonly Resource[], RegExp]>([
    ['a size that is no power of two', [memory(0, 0xf000_0000n, 0x3000n)], /power of two/],
    ['a size below the type bits', [memory(0, 0xf000_0000n, 8n)], /power of two from 16/],
    ['4 GiB in 32 bits', [memory(0, 0x1000n, 1n << 32n)], /power of two/],
    ['32 bits above 4 GiB', [memory(0, 1n << 32n, 4096n)], /last address/],
    ['the end of 64 bits', [memory(0, (1n << 64n) - 4096n, 8192n, wide)], /last address/],
    ['a negative start', [memory(0, -4096n, 4096n)], /last address/],
    ['ports above 64 Ki', [io(0, 0xfff0n, 32n)], /0xffff/],
    ['64-bit I/O', [{ ...io(0, 0xc000n, 32n), is64Bit: true }], /only memory/],
    ['a 64-bit BAR 5', [memory(5, 1n << 40n, 4096n, wide)], /no upper half/],
    ['a BAR in an upper half', [memory(0, 1n << 40n, 4096n, wide), io(1, 0xc000n, 4n)], /upper half of BAR 0/],
    ['an index twice', [io(1, 0xc000n, 4n), io(1, 0xc100n, 4n)], /twice/],
    ['index 7', [memory(7, 0xf000_0000n, 4096n)], /0-5/],
    ['a ROM that is BAR 0', [{ ...rom(0xf000_0000n, 4096n), index: 0 }], /ROM/],
    ['memory that is the ROM', [memory(6, 0xf000_0000n, 4096n)], /ROM/],
    ['a ROM of 32 MiB', [rom(0xf000_0000n, 1n << 25n)], /power of two/],
  ])('refuses %s', (_name, resources, message) => {
    expect(() => resolveBars(resources)).toThrow(message);
    expect(() => resolveBars(resources)).toThrow(PciError);
  });
});
