import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSpace, placementPolicy } from '../src/placement.js';

const place = (start: bigint, sizeBytes = 0x4000n, kind: 'memory' | 'io' = 'memory') =>
  new AddressSpace().place(kind, {}, start, sizeBytes);

describe('AddressSpace', () => {
  it.each([
    ['the PCI hole', 0xf000_0000n, 0x4000n, null],
    ['its last page', 0xfbff_c000n, 0x4000n, null],
    ['above 4 GiB', 0x1_0000_0000n, 0x4000n, null],
    ['the last address there is', (1n << 52n) - 0x4000n, 0x4000n, null],
    ['address 0', 0n, 0x4000n, 'zero'],
    ['the first MiB', 0xa_0000n, 0x4000n, 'reserved'],
    ['RAM', 0x4000_0000n, 0x4000n, 'reserved'],
    ['the last page of RAM', 0x7fff_f000n, 0x2000n, 'reserved'],
    ['ACPI tables', 0xfc00_0000n, 0x4000n, 'reserved'],
    ['the I/O APIC', 0xfec0_0000n, 0x1000n, 'reserved'],
    ['the local APIC', 0xfee0_0000n, 0x1000n, 'reserved'],
    ['a range that covers the interrupt controllers', 0x8000_0000n, 0x1_0000_0000n, 'reserved'],
    ['the firmware', 0xffff_0000n, 0x1000n, 'reserved'],
    ['all ones, 32 bits', 0xffff_c000n, 0x4000n, 'sizing'],
    ['all ones, 64 bits', 0xffff_ffff_ffff_c000n, 0x4000n, 'sizing'],
    ['beyond 52 bits', 1n << 52n, 0x4000n, 'too-high'],
    ['across 2^52', (1n << 52n) - 0x1000n, 0x4000n, 'too-high'],
    ['2^53 + 1 page', (1n << 53n) + 0x1000n, 0x1000n, 'too-high'],
    ['2^63', 1n << 63n, 0x4000n, 'too-high'],
    ['wrapping 2^64', 0xffff_ffff_ffff_f000n, 0x4000n, 'too-high'],
    ['inside a page', 0xf000_0800n, 0x1000n, 'unaligned'],
  ])('memory at %s', (_, start, sizeBytes, refusal) => {
    expect(place(start, sizeBytes)).toBe(refusal);
  });

  it.each([
    ['where firmware puts them', 0xc000n, 0x20n, null],
    ['the last ports', 0xffe0n, 0x20n, null],
    ['address 0', 0n, 0x20n, 'zero'],
    ['legacy ports', 0x3f8n, 0x8n, 'reserved'],
    ['the configuration mechanism', 0xcf8n, 0x8n, 'reserved'],
    ['power management', 0xb000n, 0x40n, 'reserved'],
    ['past the end', 0xfff0n, 0x20n, 'too-high'],
    ['all ones', 0xffff_ffe0n, 0x20n, 'too-high'],
  ])('ports at %s', (_, start, sizeBytes, refusal) => {
    expect(place(start, sizeBytes, 'io')).toBe(refusal);
  });

  it('knows the RAM it is told of, and the width of addresses', () => {
    const policy = placementPolicy({ ramRanges: [{ start: 0n, end: 0x1fff_ffffn }], addressBits: 36 });
    const space = new AddressSpace(policy);
    expect(space.place('memory', {}, 0x2000_0000n, 0x1000n)).toBe(null);
    expect(space.place('memory', {}, 0x1fff_f000n, 0x1000n)).toBe('reserved');
    const oneByteMore = new AddressSpace(placementPolicy({ ramRanges: [{ start: 0n, end: 0x2000_0000n }] }));
    expect(oneByteMore.place('memory', {}, 0x2000_0000n, 0x1000n)).toBe('reserved');
    expect(space.place('memory', {}, 1n << 36n, 0x1000n)).toBe('too-high');
    expect(placementPolicy({ addressBits: 64 }).addressBits).toBe(52);
  });

  it('never lets two owners overlap, and forgets who leaves', () => {
    const page = fc.integer({ min: 0xf0000, max: 0xf0040 });
    const step = fc.record({ owner: fc.nat(5), page, pages: fc.integer({ min: 1, max: 16 }), leave: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const space = new AddressSpace();
        const owners = Array.from({ length: 6 }, () => ({}));
        const placed = new Map<object, readonly [number, number]>();
        for (const { owner, page: first, pages, leave } of steps) {
          const who = owners[owner] ?? {};
          space.remove(who);
          placed.delete(who);
          if (leave) continue;
          const refusal = space.place('memory', who, BigInt(first) << 12n, BigInt(pages) << 12n);
          const clash = [...placed.values()].some(([start, count]) => first < start + count && start < first + pages);
          expect(refusal).toBe(clash ? 'overlap' : null);
          if (refusal === null) placed.set(who, [first, pages]);
        }
      }),
    );
  });
});
