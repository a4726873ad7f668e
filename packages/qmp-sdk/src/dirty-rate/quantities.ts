import { DirtyRateError, DirtyRateErrorCode } from './errors.js';

interface Quantity {
  readonly what: string;
  readonly units: Readonly<Record<string, number>>;
  readonly example: string;
}

const durations: Quantity = {
  what: 'a time',
  units: { ms: 1, s: 1000, min: 60_000 },
  example: '250ms, 1s or 1.5min',
};

/** Decimal prefixes are powers of 1000 and binary ones of 1024 (IEC 80000-13); a bit is an eighth of a byte. */
const bandwidths: Quantity = {
  what: 'a bandwidth',
  units: {
    'bit/s': 1 / 8,
    'kbit/s': 1e3 / 8,
    'Mbit/s': 1e6 / 8,
    'Gbit/s': 1e9 / 8,
    'Tbit/s': 1e12 / 8,
    'B/s': 1,
    'kB/s': 1e3,
    'MB/s': 1e6,
    'GB/s': 1e9,
    'KiB/s': 2 ** 10,
    'MiB/s': 2 ** 20,
    'GiB/s': 2 ** 30,
  },
  example: '10Gbit/s, 1.25GB/s or 900MiB/s',
};

const sizes: Quantity = {
  what: 'a size',
  units: { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
  example: '4KiB or 2MiB',
};

/** `250ms`, `1s`, `1.5min` in milliseconds, above 0. @throws DirtyRateError DIRTY_RATE_QUANTITY */
export function parseDuration(text: string): number {
  return parse(text, durations);
}

/** `10Gbit/s`, `1.25GB/s`, `900MiB/s` in bytes per second, above 0. @throws DirtyRateError DIRTY_RATE_QUANTITY */
export function parseBandwidth(text: string): number {
  return parse(text, bandwidths);
}

/** `4KiB`, `2MiB` in bytes, above 0. @throws DirtyRateError DIRTY_RATE_QUANTITY */
export function parseSize(text: string): number {
  return parse(text, sizes);
}

/**
 * A whole decimal number from `minimum` to `maximum`.
 *
 * @param name what it is, for the message: `samples`
 * @throws DirtyRateError DIRTY_RATE_QUANTITY, DIRTY_RATE_RANGE
 */
export function parseWholeNumber(text: string, name: string, minimum: number, maximum: number): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new DirtyRateError(DirtyRateErrorCode.quantity, `${name}: "${text}" is not a whole number.`, {
      next: `Write ${minimum} to ${maximum}.`,
    });
  }
  return requireWithin(Number(text), name, minimum, maximum);
}

/** @throws DirtyRateError DIRTY_RATE_RANGE */
export function requireWithin(value: number, name: string, minimum: number, maximum: number, unit = ''): number {
  if (value >= minimum && value <= maximum) return value;
  throw new DirtyRateError(
    DirtyRateErrorCode.range,
    `${name}: ${value}${unit} is outside ${minimum}${unit} to ${maximum}${unit}.`,
    { next: `Take a value between ${minimum}${unit} and ${maximum}${unit}.` },
  );
}

function parse(text: string, { what, units, example }: Quantity): number {
  const [, number = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,9})?) ?(\D+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  const value = Number(number) * (factor ?? 0);
  if (number !== '' && factor !== undefined && value > 0) return value;
  throw new DirtyRateError(
    DirtyRateErrorCode.quantity,
    `"${text}" is not ${what}: ${reason(text, number, unit, units)}.`,
    {
      next: `Write it as ${example}.`,
    },
  );
}

function reason(text: string, number: string, unit: string, units: Readonly<Record<string, number>>): string {
  if (/^[\d.]+$/.test(text)) return 'the unit is missing';
  if (number === '') return 'it has to be a number followed by a unit';
  if (Object.hasOwn(units, unit)) return 'it has to be more than 0';
  const meant = Object.keys(units).find((candidate) => candidate.toLowerCase() === unit.toLowerCase());
  const known = Object.keys(units).join(', ');
  return `"${unit}" is none of the units ${known}${meant === undefined ? '' : ` (capital letters count: ${meant})`}`;
}
