import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PciError, type Sbdf, compareSbdf, formatSbdf, numberToSbdf, parseSbdf, sbdfToNumber } from '../src/index.js';

const anySbdf: fc.Arbitrary<Sbdf> = fc.record({
  segment: fc.integer({ min: 0, max: 0xffff }),
  bus: fc.integer({ min: 0, max: 0xff }),
  device: fc.integer({ min: 0, max: 0x1f }),
  function: fc.integer({ min: 0, max: 7 }),
});

function failure(text: string): PciError {
  try {
    parseSbdf(text);
  } catch (error) {
    if (error instanceof PciError) return error;
  }
  throw new Error(`"${text}" did not give a PciError`);
}

describe('parseSbdf', () => {
  it('takes an address with and without its segment, in either case', () => {
    expect(parseSbdf('0000:03:1f.7')).toEqual({ segment: 0, bus: 3, device: 31, function: 7 });
    expect(parseSbdf('AB:0c.1')).toEqual({ segment: 0, bus: 0xab, device: 12, function: 1 });
  });

  it.each([
    '',
    '03:00',
    '03:20.0',
    '03:00.8',
    '3:0.0',
    '03:00.0\n',
    '00010000:e0:06.0',
    '80000000:e0:06.0',
    '000:03:00.0',
    '03.00.0',
    'eth0',
  ])('refuses %j', (text) => {
    expect(failure(text).code).toBe('PCI_SBDF_SYNTAX');
  });

  it.each([
    ['3:0.0', '0000:03:00.0'],
    ['03:00', '0000:03:00.0'],
    ['0000:03:00:1', '0000:03:00.1'],
    ['03/1f/7', '0000:03:1f.7'],
  ])('proposes for %j the address %s', (text, meant) => {
    expect(failure(text).nextStep).toBe(`Did you mean ${meant}?`);
  });

  it('takes the segments that Linux gives to VMD, for which Xen has no number', () => {
    const behindVmd = parseSbdf('10000:e0:06.0');
    expect(behindVmd.segment).toBe(0x10000);
    expect(formatSbdf(behindVmd)).toBe('10000:e0:06.0');
    expect(compareSbdf(behindVmd, parseSbdf('ffff:ff:1f.7'))).toBeGreaterThan(0);
    expect(() => sbdfToNumber(behindVmd)).toThrow(/segment 10000.*VMD/);
  });

  it('proposes nothing that is no address, and shows little of a long text', () => {
    expect(failure('03:20.0').nextStep).toContain('xenpt list');
    expect(failure('x'.repeat(10_000)).message.length).toBeLessThan(250);
  });

  it('throws nothing but PciError, and what it proposes is an address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:. ]{0,14}$/)), (text) => {
        try {
          parseSbdf(text);
        } catch (error) {
          if (!(error instanceof PciError)) throw error;
          const meant = /^Did you mean (.*)\?$/.exec(error.nextStep)?.[1];
          if (meant !== undefined) parseSbdf(meant);
        }
      }),
    );
  });
});

describe('conversions', () => {
  it('come back from text and number', () => {
    fc.assert(
      fc.property(anySbdf, (sbdf) => {
        expect(parseSbdf(formatSbdf(sbdf))).toEqual(sbdf);
        expect(numberToSbdf(sbdfToNumber(sbdf))).toEqual(sbdf);
      }),
    );
  });

  it('are unsigned', () => {
    expect(sbdfToNumber({ segment: 0xffff, bus: 0xff, device: 0x1f, function: 7 })).toBe(0xffff_ffff);
    expect(sbdfToNumber(parseSbdf('0001:02:03.4'))).toBe(0x0001_021c);
  });

  it('order like the texts', () => {
    fc.assert(
      fc.property(anySbdf, anySbdf, (a, b) => {
        const texts = formatSbdf(a) < formatSbdf(b) ? -1 : formatSbdf(a) > formatSbdf(b) ? 1 : 0;
        expect(Math.sign(compareSbdf(a, b))).toBe(texts);
      }),
    );
  });

  it('refuse parts out of range', () => {
    expect(() => formatSbdf({ segment: 0, bus: 256, device: 0, function: 0 })).toThrow(RangeError);
    expect(() => sbdfToNumber({ segment: 0, bus: 0, device: 32, function: 0 })).toThrow(/device 32/);
    expect(() => numberToSbdf(-1)).toThrow(RangeError);
    expect(() => numberToSbdf(2 ** 32)).toThrow(RangeError);
  });
});
