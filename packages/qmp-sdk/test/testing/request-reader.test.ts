import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printJson } from '../../src/testing/print-json.js';
import { RequestReader } from '../../src/testing/request-reader.js';

test('requests come out however they are printed and cut', () => {
  const request = fc.tuple(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), fc.boolean());
  fc.assert(
    fc.property(fc.array(request, { maxLength: 4 }), fc.constantFrom('', '\n', ' \r\n'), (requests, separator) => {
      const reader = new RequestReader();
      const text = requests.map(([value, pretty]) => printJson(value, pretty) + separator).join('');
      fc.pre(!/\d{16}/.test(text));
      const read = [...text].flatMap((character) => reader.push(character));
      expect(read).toEqual(requests.map(([value]) => ({ object: JSON.parse(JSON.stringify(value)) as unknown })));
    }),
  );
});

test('single quotes, with the other kind inside', () => {
  expect(new RequestReader().push(`{'a': 'it\\'s "b"', "c": "it's"}`)).toEqual([
    { object: { a: 'it\'s "b"', c: "it's" } },
  ]);
});

test('nesting, stray text and duplicate members are refused, and what follows is read', () => {
  const reader = new RequestReader();
  expect(reader.push('['.repeat(1025))).toHaveLength(1);
  expect(reader.push('\xff')).toEqual([{ refusal: expect.stringContaining('JSON parse error') as string }]);
  expect(reader.push('{"a":1,"a":2}')).toEqual([{ refusal: expect.stringContaining('JSON parse error') as string }]);
  expect(reader.push('{"a":1}')).toEqual([{ object: { a: 1 } }]);
});
