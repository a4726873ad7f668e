import fc from 'fast-check';

import { type FunctionImage, type Resource, capabilities, concealedCapabilities } from '../../src/index.js';
import { functionImage, io, memory, rom } from './image.js';

const resourceSets: readonly (readonly Resource[])[] = [
  [],
  [memory(0, 0xf000_0000n, 0x1000n), memory(1, 0xf100_0000n, 0x2_0000n)],
  [memory(0, 0x40_0000_0000n, 0x4_0000_0000n, { is64Bit: true, prefetchable: true }), io(2, 0xc000n, 32n)],
  [io(0, 0xc000n, 256n), memory(2, 0xf000_0000n, 16n), memory(3, 0xf100_0000n, 0x4000n), rom(0xf200_0000n, 2048n)],
];

/** Random bytes with a header of type 0, and lists that are mostly plausible so that every rule is reached. */
export const hostileConfig: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(64, 256, 256, 256, 4096),
    fc.uint8Array({ minLength: 256, maxLength: 256 }),
    fc.array(
      fc.record({
        slot: fc.integer({ min: 0x10, max: 0x3f }),
        id: fc.constantFrom(...[...capabilities, ...concealedCapabilities].map(({ id }) => id), 0x16, 0xfe, 0xff),
        next: fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, fc.integer({ min: 0, max: 255 })),
      }),
      { maxLength: 60 },
    ),
  )
  .map(([length, noise, entries]) => {
    const config = new Uint8Array(length);
    config.set(noise.subarray(0, length));
    config.set([(noise[14] ?? 0) & 0x80], 14);
    entries.forEach(({ slot, id, next }, index) => {
      const following = (entries[index + 1]?.slot ?? 0) * 4;
      if (slot * 4 + 1 < length) config.set([id, next ?? following], slot * 4);
    });
    if (entries[0] !== undefined) config.set([entries[0].slot * 4 + ((noise[0] ?? 0) & 3)], 0x34);
    return config;
  });

export const hostileImage: fc.Arbitrary<FunctionImage> = fc
  .tuple(hostileConfig, fc.constantFrom(...resourceSets), fc.constantFrom(0, 11))
  .map(([config, resources, irq]) => functionImage(config, { resources, irq }));
