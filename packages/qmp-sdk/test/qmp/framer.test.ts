import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageFramer } from '../../src/qmp/framer.js';
import { printJson } from '../../src/testing/print-json.js';

const limit = 1 << 20;

/** The messages in `text`, when it comes in pieces of these lengths and then the rest. */
function framed(text: string, lengths: readonly number[], maxMessageBytes = limit): string[] {
  const framer = new MessageFramer(maxMessageBytes);
  const messages: string[] = [];
  const receive = (message: string): boolean => messages.push(message) > 0;
  let at = 0;
  for (const length of lengths) {
    framer.push(text.slice(at, at + length), receive);
    at += length;
  }
  framer.push(text.slice(at), receive);
  expect(framer.pendingBytes).toBe(0);
  return messages;
}

const messageArbitrary = fc.tuple(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.boolean());

test('messages come out whole, compact or pretty, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(messageArbitrary, { maxLength: 6 }), fc.array(fc.nat({ max: 30 })), (messages, lengths) => {
      const text = messages.map(([value, pretty]) => `${printJson(value, pretty)}\r\n`).join('');
      const received = framed(text, lengths).map((message) => JSON.parse(message) as unknown);
      // -0 is printed as 0, as QEMU does.
      expect(received).toEqual(messages.map(([value]) => JSON.parse(JSON.stringify(value)) as unknown));
    }),
  );
});

test('a session that is cut at each single position reads the same', () => {
  const text = '{"QMP": {}}\r\n{\r\n    "return": {\r\n    },\r\n    "id": 0\r\n}\r\n{"event": "}{"}\n\r\n';
  const whole = framed(text, []);
  expect(whole).toHaveLength(3);
  for (let at = 0; at <= text.length; at++) expect(framed(text, [at])).toEqual(whole);
  expect(framed(text, new Array<number>(text.length).fill(1))).toEqual(whole);
});

test('two tokens on two lines of a pretty message do not become one', () => {
  expect(framed('{\n"a": [1\n2]\n}\n', [])).toEqual(['{\n"a": [1\n2]\n}\n']);
});

test('a line that ends inside a string ends the message: the parser is to refuse it', () => {
  expect(framed('{\n"a\n', [])).toEqual(['{\n"a\n']);
});

test.each([
  ['a line', (count: number) => `"${'x'.repeat(count - 2)}"`],
  ['a pretty message', (count: number) => `{\n${' '.repeat(count - 2)}\n`],
])('%s of the limit passes, one byte more does not, also before its end is seen', (_, make) => {
  const push = (text: string): void => new MessageFramer(100).push(text, () => true);
  const tooLarge = expect.objectContaining({ kind: 'too-large' }) as Error;
  push(make(100));
  expect(() => push(make(101))).toThrow(tooLarge);
  expect(() => push(make(101).slice(0, -1) + '   ')).toThrow(tooLarge);
  const framer = new MessageFramer(100);
  for (let byte = 0; byte < 100; byte++) framer.push('x', () => true);
  expect(() => framer.push('x', () => true)).toThrow(tooLarge);
});

test('the limit counts one message, not the stream', () => {
  expect(framed('{"a": 1}\r\n'.repeat(1000), [], 16)).toHaveLength(1000);
});

test('what follows is not looked at once nobody wants it', () => {
  const messages: string[] = [];
  new MessageFramer(limit).push('{}\n[]\n', (message) => messages.push(message) > 1);
  expect(messages).toEqual(['{}']);
});
