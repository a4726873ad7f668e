import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QmpProtocolError } from '../../src/qmp/errors.js';
import { parseExactJson } from '../../src/qmp/exact-json.js';

const options = { unsafeIntegers: 'bigint', maxNesting: 1024 } as const;
const parse = (text: string) => parseExactJson(text, options);

/** What JSON.parse makes of it, or that it refuses. */
const outcomeOf = (read: (text: string) => unknown, text: string): unknown => {
  try {
    return { value: read(text) };
  } catch {
    return 'refused';
  }
};

test('it reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 1, 4), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent);
      fc.pre(!/\d{16}/.test(text));
      expect(parse(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('it refuses what JSON.parse refuses', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '"a"',
    '\\',
    '0',
    '01',
    '-',
    '.5',
    '1e',
    'tru',
    ' ',
    '\u0000',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
      const text = tokens.join('');
      expect(outcomeOf(parse, text)).toEqual(outcomeOf((json) => JSON.parse(json) as unknown, text));
    }),
    { numRuns: 2000 },
  );
});

test('every integer keeps every digit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (integer) => {
      const value = parse(`{"n": [${integer}]}`) as { n: [number | bigint] };
      expect(BigInt(value.n[0])).toBe(integer);
      const safe = integer >= BigInt(Number.MIN_SAFE_INTEGER) && integer <= BigInt(Number.MAX_SAFE_INTEGER);
      expect(typeof value.n[0]).toBe(safe ? 'number' : 'bigint');
    }),
  );
});

test('the policy decides over integers that a number can not hold', () => {
  const text = '{"max-bandwidth": 9223372036854775807}';
  expect(parse(text)).toEqual({ 'max-bandwidth': 9223372036854775807n });
  expect(parseExactJson(text, { ...options, unsafeIntegers: 'number' })).toEqual({ 'max-bandwidth': 2 ** 63 });
  expect(() => parseExactJson(text, { ...options, unsafeIntegers: 'error' })).toThrow(
    expect.objectContaining({ kind: 'unsafe-integer' }),
  );
  // Doubles are doubles whatever they look like.
  expect(parse('[1e400, 12345678901234567890.0, -0]')).toEqual([Infinity, 12345678901234567890, -0]);
});

test('the bare inf and nan of QEMU are numbers, but not inside words or strings', () => {
  expect(parse('{"return": {}, "id": inf}')).toEqual({ return: {}, id: Infinity });
  expect(parse('[-inf, nan, -nan, "inf"]')).toEqual([-Infinity, NaN, NaN, 'inf']);
  expect(() => parse('[infinity]')).toThrow(QmpProtocolError);
});

test('__proto__ is a member and nothing else', () => {
  const value = parse('{"__proto__": {"polluted": 1}, "n": 90071992547409930}') as Record<string, unknown>;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value)).toEqual(['__proto__', 'n']);
  expect(value['polluted']).toBeUndefined();
});

test('the nesting is limited, and strings of escapes are read in linear time', () => {
  expect(parse('['.repeat(1024) + ']'.repeat(1024))).toBeInstanceOf(Array);
  expect(() => parse('['.repeat(1025))).toThrow(expect.objectContaining({ kind: 'nesting' }));
  const slashes = '\\\\'.repeat(1 << 20);
  expect((parse(`"${slashes}"`) as string).length).toBe(1 << 20);
  expect(() => parse(`"${slashes}\\"`)).toThrow(/not JSON at character 0/);
});
