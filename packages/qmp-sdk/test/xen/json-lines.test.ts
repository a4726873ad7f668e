import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../src/xen/json-lines.js';

test('lines come out whole however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !line.includes('\n'))),
      fc.array(fc.nat({ max: 40 })),
      (lines, cuts) => {
        let bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter(4096);
        const received: string[] = [];
        for (const cut of cuts) {
          received.push(...splitter.push(bytes.subarray(0, cut)));
          bytes = bytes.subarray(cut);
        }
        received.push(...splitter.push(bytes));
        expect(received).toEqual(lines);
      },
    ),
  );
});

test('the limit counts one line, not the stream, and holds before its end is seen', () => {
  const splitter = new LineSplitter(8);
  expect(splitter.push(Buffer.from('12345678\n12345678\n'))).toHaveLength(2);
  expect(splitter.push(Buffer.from('1234'))).toEqual([]);
  expect(() => splitter.push(Buffer.from('56789'))).toThrow(/longer than 8 bytes/);
});
