import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CoreRangeError, CoreTypeError } from '../src/index.js';
import { allOnes, hex, isU32, requireInteger } from '../src/u32.js';

test('isU32 is true for the integers 0 … 2^32 - 1 and nothing else', () => {
  for (const value of [0, -0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) expect(isU32(value)).toBe(true);
  for (const value of [-1, 0.5, 2 ** 32, 2 ** 53, Number.NaN, Infinity, -Infinity]) expect(isU32(value)).toBe(false);
  fc.assert(
    fc.property(fc.double(), (value) => isU32(value) === (Number.isInteger(value) && value >= 0 && value < 2 ** 32)),
  );
});

test('allOnes of a width in bytes, at most 32 bits', () => {
  const expected = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff];
  expect([0, 1, 2, 3, 4, 5, 2 ** 32].map(allOnes)).toEqual(expected);
  expect([-1, Number.NaN, 0.5, -Infinity].map(allOnes)).toEqual([0, 0, 0, 0]);
  expect(allOnes(Infinity)).toBe(0xffff_ffff);
});

test('requireInteger takes its limits in, and says name, value and limit', () => {
  expect(() => requireInteger('count', 1, 1, 3)).not.toThrow();
  expect(() => requireInteger('count', 3, 1, 3)).not.toThrow();
  expect(() => requireInteger('count', 4, 1, 3)).toThrow('count is 4: pass an integer from 1 to 3');
  expect(() => requireInteger('count', 0, 1, 3)).toThrow(CoreRangeError);
  expect(() => requireInteger('count', '2' as unknown as number, 1, 3)).toThrow(CoreTypeError);
});

test('hex is unsigned and eight digits long', () => {
  expect([hex(0), hex(-1), hex(0x8000_0000)]).toEqual(['0x00000000', '0xffffffff', '0x80000000']);
});
