import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPirq, decodeMessage, unmaskedFlag } from '../src/message.js';

describe('decodeMessage', () => {
  it.each([
    ['fixed, physical, APIC 1, vector 0x41', 0xfee0_1000, 0, 0x41, { vector: 0x41, flags: 0x0001 }],
    ['lowest priority', 0xfee0_0000, 0, 0x0141, { vector: 0x41, flags: 0x1000 }],
    ['redirection hint', 0xfee0_0008, 0, 0x41, { vector: 0x41, flags: 0x0100 }],
    ['logical destination', 0xfee0_0004, 0, 0x41, { vector: 0x41, flags: 0x0200 }],
    ['level triggered', 0xfee0_0000, 0, 0x8041, { vector: 0x41, flags: 0x8000 }],
    ['level assert is no flag', 0xfee0_0000, 0, 0x4041, { vector: 0x41, flags: 0 }],
    ['the prefix is not looked at', 0x0000_5000, 0, 0x41, { vector: 0x41, flags: 0x0005 }],
    ['everything at once', 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, { vector: 0xff, flags: 0xf3ff }],
  ])('%s', (_, low, high, data, expected) => {
    expect(decodeMessage(low, high, data)).toEqual({ ...expected, requestedPirq: anyPirq });
  });

  it.each([
    ['destination id', 0xfee2_8000, 0, 40],
    ['upper bits in address high', 0xfee0_1000, 0x0000_0100, 0x101],
    ['the low byte of address high does not count', 0xfee0_1000, 0x0000_00ff, 1],
    ['none', 0xfee0_0000, 0, anyPirq],
    ['more than a C int holds', 0xfee0_0000, 0x8000_0000, anyPirq],
  ])('vector 0 asks for a pirq: %s', (_, low, high, pirq) => {
    expect(decodeMessage(low, high, 0x4300).requestedPirq).toBe(pirq);
    expect(decodeMessage(low, high, 0x4301).requestedPirq).toBe(anyPirq);
  });

  it('agrees with a bit-by-bit reading for every bit that counts', () => {
    for (const [word, bit, flag] of [
      ...Array.from({ length: 8 }, (_, index) => ['low', 12 + index, index] as const),
      ['low', 3, 8] as const,
      ['low', 2, 9] as const,
      ...Array.from({ length: 3 }, (_, index) => ['data', 8 + index, 12 + index] as const),
      ['data', 15, 15] as const,
    ]) {
      const low = word === 'low' ? (1 << bit) >>> 0 : 0;
      const data = word === 'data' ? 1 << bit : 0;
      expect(decodeMessage(low, 0, data).flags, `${word} bit ${bit}`).toBe(1 << flag);
    }
  });

  it('stays inside what the bind call takes, whatever the guest writes', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(word, word, word, (low, high, data) => {
        const { vector, flags, requestedPirq } = decodeMessage(low, high, data);
        expect(vector).toBe(data & 0xff);
        expect(flags & ~0xf3ff).toBe(0);
        expect(flags & unmaskedFlag).toBe(0);
        expect(requestedPirq === anyPirq || (requestedPirq > 0 && requestedPirq <= 0x7fff_ffff)).toBe(true);
        expect(requestedPirq !== anyPirq && vector !== 0).toBe(false);
      }),
    );
  });
});
