import fc from 'fast-check';
import { expect, it } from 'vitest';

import { addressMask, isPowerOfTwo } from '../../src/bars/sizing.js';

it('keeps exactly the address bits that are not below the size', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 4n, max: 63n }), (bits) => {
      const { low, high } = addressMask(1n << bits, 0xf);
      const both = (BigInt(high) << 32n) | BigInt(low);
      for (let bit = 0n; bit < 64n; bit += 1n) expect((both >> bit) & 1n).toBe(bit >= bits ? 1n : 0n);
    }),
  );
});

it('knows powers of two to 64 bits', () => {
  expect([0n, 1n, 3n, 1n << 53n, (1n << 53n) + 1n, 1n << 63n, -2n].map(isPowerOfTwo)).toEqual([
    false,
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});
