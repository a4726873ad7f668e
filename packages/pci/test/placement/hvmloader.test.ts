import fc from 'fast-check';
import { expect, it } from 'vitest';

import { neededMmioHole, placeBars, type PlacedBarInput } from '../../src/placement/hvmloader.js';

const mebibyte = 1n << 20n;
const bar = (sizeBytes: bigint, changes: Partial<PlacedBarInput> = {}): PlacedBarInput => ({
  guestDevfn: 0x28,
  index: 0,
  kind: 'memory',
  sizeBytes,
  is64Bit: false,
  ...changes,
});
const addresses = (bars: readonly PlacedBarInput[], memoryMib: number, mmioHoleMib: number | null = null) =>
  placeBars(bars, { memoryMib, mmioHoleMib }).bars.map(({ address }) => address);

it('places the largest first, from the start of the hole, each on its size', () => {
  const bars = [bar(0x1000n), bar(16n * mebibyte, { index: 1 }), bar(0x20n, { index: 2, kind: 'io' })];
  expect(addresses(bars, 512)).toEqual([0xf000_0000n, 0xf100_0000n, 0xc000n]);
});

it('a small guest’s hole doubles into memory it does not have; a large one’s does not', () => {
  const large = bar(512n * mebibyte);
  const small = placeBars([large], { memoryMib: 1024, mmioHoleMib: null });
  expect(small).toMatchObject({ holeStart: 0xc000_0000n, fits: true });
  const big = placeBars([large], { memoryMib: 4096, mmioHoleMib: null });
  expect(big).toMatchObject({ holeStart: 0xf000_0000n, fits: false });
  const needed = neededMmioHole([large], { memoryMib: 4096 });
  expect(addresses([large], 4096, needed)).not.toContain(null);
  expect(addresses([large], 4096, (needed ?? 0) - 64)).toEqual([null]);
});

it('64-bit BARs go above 4 GiB when there is no room, and always when they are larger than 1 GiB', () => {
  expect(addresses([bar(256n * mebibyte, { is64Bit: true })], 8192)).toEqual([0x2_1000_0000n]);
  expect(addresses([bar(2n << 30n, { is64Bit: true })], 512)).toEqual([0x1_0000_0000n]);
  expect(addresses([bar(256n * mebibyte, { is64Bit: true })], 8192, 1024)).toEqual([0xc000_0000n]);
});

it('keeps off memory that is reserved', () => {
  const reserved = [{ start: 0xf000_0000n, end: 0xf000_0fffn }];
  const { bars } = placeBars([bar(mebibyte)], { memoryMib: 512, mmioHoleMib: null, reserved });
  expect(bars[0]?.address).toBe(0xf010_0000n);
});

const anyBar = fc
  .record({
    shift: fc.integer({ min: 12, max: 33 }),
    guestDevfn: fc.integer({ min: 0x18, max: 0xff }),
    index: fc.nat(5),
    io: fc.boolean(),
    is64Bit: fc.boolean(),
  })
  .map(({ shift, guestDevfn, index, io, is64Bit }): PlacedBarInput => {
    if (io) return bar(1n << BigInt(2 + (shift % 7)), { kind: 'io', guestDevfn, index });
    return bar(1n << BigInt(is64Bit ? shift : Math.min(shift, 28)), { guestDevfn, index, is64Bit });
  });

it('whatever is placed is aligned, apart from all others, and outside the guest’s memory', () => {
  fc.assert(
    fc.property(
      fc.array(anyBar, { maxLength: 24 }),
      fc.integer({ min: 64, max: 1 << 15 }),
      fc.option(fc.integer({ min: 256, max: 3840 })),
      (bars, memoryMib, mmioHoleMib) => {
        const { bars: placed, holeStart } = placeBars(bars, { memoryMib, mmioHoleMib });
        expect(placed).toHaveLength(bars.length);
        const ranges = placed
          .filter(({ kind }) => kind !== 'io')
          .flatMap(({ address, sizeBytes }) =>
            address === null ? [] : [{ start: address, end: address + sizeBytes, sizeBytes }],
          )
          .sort((a, b) => (a.start < b.start ? -1 : 1));
        for (const [index, { start, end, sizeBytes }] of ranges.entries()) {
          expect(start % sizeBytes).toBe(0n);
          expect(start >= holeStart && (end <= 0xfc00_0000n || start >= 1n << 32n)).toBe(true);
          expect(start >= (ranges[index - 1]?.end ?? 0n)).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});
