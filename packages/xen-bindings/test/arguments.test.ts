import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireDomid, requireInteger, requireRange, requireU64, requireU8 } from '../src/arguments.js';

const U64_MAX = 2n ** 64n - 1n;

describe('requireInteger', () => {
  it('returns exactly what is in range and refuses everything else', () => {
    fc.assert(
      fc.property(fc.double(), fc.integer(), fc.nat(), (value, min, span) => {
        const max = min + span;
        const fits = Number.isInteger(value) && value >= min && value <= max;
        if (fits) expect(requireInteger('x', value, min, max)).toBe(value);
        else expect(() => requireInteger('x', value, min, max)).toThrow(RangeError);
      }),
    );
  });

  it('names the argument, its value and the limit', () => {
    expect(() => requireU8('bus', 256)).toThrow('bus is 256; it must be an integer from 0 to 255');
    expect(() => requireU8('bus', '1' as unknown as number)).toThrow(TypeError);
    expect(requireDomid(0x7ff1)).toBe(0x7ff1);
  });
});

describe('requireU64', () => {
  it('takes 64 bits exactly', () => {
    expect(requireU64('x', U64_MAX)).toBe(U64_MAX);
    expect(() => requireU64('x', U64_MAX + 1n)).toThrow(RangeError);
    expect(() => requireU64('x', -1n)).toThrow(RangeError);
    expect(() => requireU64('x', 1 as unknown as bigint)).toThrow(TypeError);
  });
});

describe('requireRange', () => {
  it('accepts a range exactly when its last element fits', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, U64_MAX), fc.bigInt(0n, U64_MAX), (first, count) => {
        const fits = count > 0n && first + count <= 2n ** 64n;
        const check = (): void => requireRange('x', first, count);
        if (fits) expect(check).not.toThrow();
        else expect(check).toThrow(RangeError);
      }),
    );
  });
});
