import { expect, it } from 'vitest';

import { decodeRawBars } from '../../src/bars/raw-bar.js';
import { ImageBuilder } from '../support/image.js';

it('reads kinds, both halves and what is empty', () => {
  const { config } = new ImageBuilder()
    .u32(0x10, 0xc041)
    .u32(0x14, 0xfebe_000c)
    .u32(0x18, 0x12)
    .u32(0x24, 0xf000_0004);
  expect(decodeRawBars(config)).toMatchObject([
    { index: 0, kind: 'io', address: 0xc040n, is64Bit: false },
    { index: 1, kind: 'memory', address: 0x12_febe_0000n, is64Bit: true, prefetchable: true },
    { index: 3, kind: 'none', address: 0n },
    { index: 4, kind: 'none' },
    // The last has no upper half, whatever it claims.
    { index: 5, kind: 'memory', address: 0xf000_0000n, is64Bit: false },
  ]);
});
