import fc from 'fast-check';
import { expect, it } from 'vitest';

import { emulatedBars, fitDevices, fitsAnyGuest } from '../../src/placement/guest-bars.js';
import type { Resource } from '../../src/resource.js';

const resource = (index: number, kind: Resource['kind'], sizeBytes: bigint): Resource => ({
  index,
  kind,
  sizeBytes,
  start: 0xfe00_0000n,
  prefetchable: false,
  is64Bit: false,
});
const e1000e = [
  resource(0, 'memory', 0x20000n),
  resource(1, 'memory', 0x20000n),
  resource(2, 'io', 0x20n),
  resource(3, 'memory', 0x4000n),
  resource(6, 'rom', 0x40000n),
];

it('places an e1000e where a guest of Xen 4.20 in the lab had it', () => {
  const memory = { memoryMib: 256, mmioHoleMib: null };
  const { placement, below4Gib } = fitDevices([{ resources: e1000e, guestDevfn: 0x28 }], memory, emulatedBars);
  expect(below4Gib).toBe(true);
  // /proc/iomem and resource files of that guest: xen-platform-pci at 00:02.0, IDE at 00:01.1, the card at 00:05.0.
  expect(placement.bars.map(({ guestDevfn, index, address }) => [guestDevfn, index, address])).toEqual([
    [0x10, 1, 0xf000_0000n],
    [0x28, 6, 0xf100_0000n],
    [0x28, 0, 0xf104_0000n],
    [0x28, 1, 0xf106_0000n],
    [0x28, 3, 0xf108_0000n],
    [0x10, 0, 0xc000n],
    [0x28, 2, 0xc100n],
    [0x09, 4, 0xc120n],
  ]);
});

it('what is said to fit any guest has its place below 4 GiB in a small and in a large one', () => {
  const anyResource = fc
    .record({
      kind: fc.constantFrom('memory', 'io', 'rom'),
      shift: fc.integer({ min: 2, max: 27 }),
      is64Bit: fc.boolean(),
    })
    .map(({ kind, shift, is64Bit }) => ({
      ...resource(0, kind, 1n << BigInt(kind === 'io' ? shift % 14 : shift)),
      is64Bit,
    }));
  let fitting = 0;
  fc.assert(
    fc.property(
      fc.array(anyResource, { maxLength: 7 }),
      fc.constantFrom(256, 4096, 65536),
      (resources, memoryMib) => {
        const numbered = resources.map((one, index) => ({ ...one, index }));
        if (!fitsAnyGuest(numbered)) return;
        fitting += 1;
        expect(fitDevices([{ resources: numbered }], { memoryMib, mmioHoleMib: null }).below4Gib).toBe(true);
      },
    ),
  );
  expect(fitting).toBeGreaterThan(5);
});
