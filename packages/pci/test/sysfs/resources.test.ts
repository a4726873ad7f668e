import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SysfsError, parseResources } from '../../src/sysfs/index.js';
import { e1000eResources } from '../support/e1000e.js';
import { e1000eResourceText } from '../support/sysfs-tree.js';

const empty = `${Array.from({ length: 3 }, () => `0x${'0'.repeat(16)}`).join(' ')}\n`;
const file = (first: string, lineCount = 7): string => `${first}\n${empty.repeat(lineCount - 1)}`;
const parse = (text: string) => parseResources('resource', text);

it('reads the ranges of the e1000e', () => {
  expect(parse(e1000eResourceText)).toEqual(e1000eResources);
});

it.each([7, 11, 13, 17])('takes a file of %i lines, and only its first 7', (lineCount) => {
  const bar = '0x0000004000100000 0x000000400017ffff 0x0000000000142204';
  const last = '0x00000000f0000000 0x00000000f0000fff 0x0000000000000200\n';
  const text = file(bar, lineCount);
  const expected = { index: 0, start: 0x40_0010_0000n, sizeBytes: 0x8_0000n, is64Bit: true, prefetchable: true };
  expect(parse(lineCount === 7 ? text : text.slice(0, -empty.length) + last)).toMatchObject([expected]);
});

describe('leaves out', () => {
  it.each([
    ['a range without address', '0x0 0xfff 0x200'],
    ['a range without kind', '0xf0000000 0xf0000fff 0x0'],
    ['a range that is not placed', '0xf0000000 0xf0000fff 0x20000200'],
    ['a range that is disabled', '0xf0000000 0xf0000fff 0x10000200'],
  ])('%s', (_name, line) => {
    expect(parse(file(line))).toEqual([]);
  });

  it('a ROM that is a copy in the host’s RAM', () => {
    expect(parse(`${empty.repeat(6)}0xc0000 0xdffff 0x212\n`)).toEqual([]);
    expect(parse(`${empty.repeat(6)}0xf0000000 0xf000ffff 0x200\n`)).toMatchObject([{ index: 6, kind: 'rom' }]);
  });
});

describe('refuses', () => {
  it.each([
    ['nothing', ''],
    ['too few lines', empty.repeat(6)],
    ['too many lines', empty.repeat(18)],
    ['a file cut in a line', empty.repeat(7).slice(0, -1)],
    ['a line of two numbers', file('0x0 0x0')],
    ['a line of four', file('0x0 0x0 0x0 0x0')],
    ['decimal', file('1 2 3')],
    ['more than 64 bits', file(`0x1${'0'.repeat(16)} 0x0 0x0`)],
    ['a carriage return', file('0x0 0x0 0x0\r')],
    ['an end before the start', file('0xf0001000 0xf0000fff 0x200')],
    ['I/O that is memory', file('0xf0000000 0xf0000fff 0x300')],
    ['a range of another kind', file('0xf0000000 0xf0000fff 0x400')],
    ['a bad line among those that are not used', e1000eResourceText.slice(0, -empty.length) + 'x\n'],
  ])('%s', (_name, text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'SYSFS_MALFORMED', path: 'resource' }) as Error,
    );
  });
});

it('is exact to 64 bits', () => {
  expect(parse(file('0xfffffffffffff000 0xffffffffffffffff 0x100200'))).toMatchObject([
    { start: 0xffff_ffff_ffff_f000n, sizeBytes: 0x1000n },
  ]);
});

it('throws nothing else', () => {
  const noise = fc.array(fc.oneof(fc.constant(empty), fc.stringMatching(/^[0-9a-fx \n]{0,60}$/)), { maxLength: 18 });
  fc.assert(
    fc.property(noise, (lines) => {
      try {
        parse(lines.join(''));
      } catch (error) {
        if (!(error instanceof SysfsError)) throw error;
      }
    }),
  );
});
