import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DirtyRateError,
  parseBandwidth,
  parseDuration,
  parseSize,
  parseWholeNumber,
} from '../../src/dirty-rate/index.js';

describe('parseDuration', () => {
  it.each([
    ['1s', 1000],
    ['250ms', 250],
    ['0.5s', 500],
    ['1.5min', 90_000],
    ['1 s', 1000],
  ])('%s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    ['1', /the unit is missing/],
    ['', /a number followed by a unit/],
    ['s', /a number followed by a unit/],
    ['-1s', /a number followed by a unit/],
    ['0ms', /more than 0/],
    ['1S', /capital letters count: s/],
    ['1h', /none of the units ms, s, min/],
    ['1e3ms', /./],
    ['1.s', /./],
    ['.5s', /./],
    ['1,5s', /./],
    ['Infinitys', /./],
    ['1constructor', /none of the units/],
  ])('%j is refused with the reason', (text, reason) => {
    expect(() => parseDuration(text)).toThrow(reason);
    expect(() => parseDuration(text)).toThrow(DirtyRateError);
  });
});

describe('parseBandwidth', () => {
  it.each([
    ['10Gbit/s', 1.25e9],
    ['1.25GB/s', 1.25e9],
    ['900MiB/s', 900 * 2 ** 20],
    ['100Mbit/s', 12.5e6],
    ['1kbit/s', 125],
    ['8bit/s', 1],
    ['1 Tbit/s', 1.25e11],
    ['3B/s', 3],
    ['2KiB/s', 2048],
  ])('%s is %d bytes per second', (text, expected) => {
    expect(parseBandwidth(text)).toBe(expected);
  });

  it.each(['10Gbit', '10gbit/s', '10Gb/s', '10 gbps', '10', 'fast', '0Gbit/s', '1GB/s/s'])('refuses %j', (text) => {
    expect(() => parseBandwidth(text)).toThrow(/is not a bandwidth/);
  });

  it('says what was probably meant', () => {
    expect(() => parseBandwidth('10gbit/s')).toThrow(/capital letters count: Gbit\/s/);
  });
});

it('parseSize: bytes', () => {
  expect(parseSize('4KiB')).toBe(4096);
  expect(() => parseSize('4KB')).toThrow(/none of the units B, KiB/);
});

it('parseWholeNumber: whole and within its bounds', () => {
  expect(parseWholeNumber('10', 'samples', 1, 100)).toBe(10);
  expect(() => parseWholeNumber('1.5', 'samples', 1, 100)).toThrow(/not a whole number/);
  expect(() => parseWholeNumber('0x10', 'samples', 1, 100)).toThrow(/not a whole number/);
  expect(() => parseWholeNumber('101', 'samples', 1, 100)).toThrow(/outside 1 to 100/);
});

it('any text is a finite value above 0 or a DirtyRateError', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^\d{0,14}\.?\d{0,11} ?(ms|s|Gbit\/s|KiB|[a-z]{0,3})$/)),
      (text) => {
        for (const parse of [parseDuration, parseBandwidth, parseSize]) {
          try {
            const value = parse(text);
            if (!(value > 0) || !Number.isFinite(value)) return false;
          } catch (error) {
            if (!(error instanceof DirtyRateError)) return false;
          }
        }
        return true;
      },
    ),
  );
});
