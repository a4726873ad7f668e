import { expect, it } from 'vitest';

import { allOnes, readLittleEndian } from '../../src/index.js';

it('has all ones of each width', () => {
  expect([allOnes(1), allOnes(2), allOnes(4)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
});

it('reads little-endian and unsigned', () => {
  const bytes = Uint8Array.of(0x01, 0x02, 0x03, 0xff);
  expect(readLittleEndian(bytes, 0, 4)).toBe(0xff03_0201);
  expect(readLittleEndian(bytes, 2, 2)).toBe(0xff03);
});

it('answers all ones when a byte is outside', () => {
  const bytes = Uint8Array.of(0, 0, 0, 0);
  expect(readLittleEndian(bytes, 3, 2)).toBe(0xffff);
  expect(readLittleEndian(bytes, 4, 1)).toBe(0xff);
  expect(readLittleEndian(bytes, -1, 4)).toBe(0xffff_ffff);
});
