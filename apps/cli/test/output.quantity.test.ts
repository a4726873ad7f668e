import { expect, it } from 'vitest';
import { formatBandwidth, formatBytes, formatCount, formatDuration, formatShare } from '../src/output/quantity.js';

it.each([
  [0, '0'],
  [1, '1'],
  [0.25, '0.3'],
  [9.94, '9.9'],
  [9.96, '10'],
  [999.6, '1,000'],
  [1_044_480, '1,044,480'],
])('formatCount(%d) is %s', (value, text) => expect(formatCount(value)).toBe(text));

it.each([
  [0, '0 B'],
  [1023, '1,023 B'],
  [1024, '1.00 KiB'],
  [1023.9 * 1024, '1.00 MiB'],
  [97.66 * 2 ** 20, '97.7 MiB'],
  [2 ** 40, '1.00 TiB'],
  [2 ** 52, '4096 TiB'],
])('formatBytes(%d) is %s', (value, text) => expect(formatBytes(value)).toBe(text));

it.each([
  [1.25e9, '10.0 Gbit/s'],
  [12.5, '100 bit/s'],
  [124.999e6, '1.00 Gbit/s'],
])('formatBandwidth(%d) is %s', (value, text) => expect(formatBandwidth(value)).toBe(text));

it.each([
  [0, '0 ms'],
  [0.05, 'under 0.1 ms'],
  [0.25, '0.25 ms'],
  [62.5, '62.5 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [99_949, '99.9 s'],
  [99_951, '1 min 40 s'],
  [3_725_000, '1 h 2 min'],
])('formatDuration(%d) is %s', (value, text) => expect(formatDuration(value)).toBe(text));

it.each([
  [0, '0 %'],
  [0.0001, 'under 0.1 %'],
  [0.0123, '1.2 %'],
  [0.0995, '10 %'],
  [1, '100 %'],
])('formatShare(%d) is %s', (value, text) => expect(formatShare(value)).toBe(text));
