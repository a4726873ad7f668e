import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QmpArgumentError } from '../../src/qmp/errors.js';
import { serializeArguments, type JsonObject } from '../../src/qmp/json.js';

test('it says what JSON.stringify says, of whatever both can carry', () => {
  const refused = /[\p{Surrogate}\p{Noncharacter_Code_Point}]/u;
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!refused.test(text) && !/\d(\.\d+)?e\+/.test(text));
      expect(serializeArguments(value as JsonObject)).toBe(text);
    }),
  );
});

test('integers keep every digit, also those that JavaScript prints with an exponent', () => {
  const args = { a: 2n ** 64n - 1n, b: -(2n ** 63n), c: 1e21, d: 2 ** 53, e: -0, f: 0.1 };
  expect(serializeArguments(args)).toBe(
    '{"a":18446744073709551615,"b":-9223372036854775808,"c":1000000000000000000000,"d":9007199254740992,"e":0,"f":0.1}',
  );
});

test('undefined members are left out, __proto__ is a member as any other', () => {
  expect(serializeArguments({ a: undefined, b: null, c: [] })).toBe('{"b":null,"c":[]}');
  expect(serializeArguments(JSON.parse('{"__proto__":{"x":1}}') as JsonObject)).toBe('{"__proto__":{"x":1}}');
});

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

test.each([
  ['NaN', { size: NaN }, 'arguments.size'],
  ['an infinity', { list: [1, Infinity] }, 'arguments.list[1]'],
  ['a lone surrogate', { name: 'a\ud800b' }, 'arguments.name'],
  ['a lone surrogate in a name', { 'a\udc00': 1 }, 'arguments.a\udc00'],
  ['a noncharacter', { name: '\uffff' }, 'arguments.name'],
  ['another noncharacter', { name: '\ufdd0' }, 'arguments.name'],
  ['a noncharacter of a higher plane', { name: '\u{1fffe}' }, 'arguments.name'],
  ['a function', { call: () => 1 }, 'arguments.call'],
  ['undefined in a list', { list: [undefined] }, 'arguments.list[0]'],
  ['a Map', { map: new Map() }, 'arguments.map'],
  ['a Date', { at: new Date(0) }, 'arguments.at'],
  ['an array of arguments', [1], 'arguments'],
])('%s is refused, and the error says where', (_, args, path) => {
  const refusal = (() => {
    try {
      serializeArguments(args as unknown as JsonObject);
      return undefined;
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(QmpArgumentError);
  expect(refusal).toMatchObject({ code: 'QMP_ARGUMENT', path });
});

test('a cycle ends at the nesting that QEMU reads', () => {
  expect(() => serializeArguments(cycle as JsonObject)).toThrow(/nested deeper than 1024/);
  let deepest: JsonObject = {};
  // The frame itself is one level more.
  for (let depth = 1; depth < 1023; depth++) deepest = { a: deepest };
  expect(serializeArguments(deepest)).toHaveLength(1022 * 6 + 2);
  expect(() => serializeArguments({ a: deepest })).toThrow(/nested deeper/);
});
