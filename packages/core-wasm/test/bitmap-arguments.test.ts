import { describe, expect, test } from 'vitest';
import { BitmapCore, CoreRangeError, CoreTypeError, DirtyBitmap } from '../src/index.js';

const core = new BitmapCore();
const bitmap = DirtyBitmap.allocate(core, 1000, { baseFrame: 100 });
const number = (value: unknown): number => value as number;

describe('a bitmap that cannot be', () => {
  const place = core.allocate(4096);
  test.each([
    ['no pages', () => new DirtyBitmap(core, place, 0), /pageCount is 0: pass an integer from 1 to 4294967295/],
    ['too many pages', () => new DirtyBitmap(core, place, 2 ** 32), /pageCount is 4294967296/],
    ['half a page', () => new DirtyBitmap(core, place, 1.5), /pageCount is 1.5/],
    ['an address between words', () => new DirtyBitmap(core, place + 4, 10), /address is \d+: pass a multiple of 8/],
    ['an address outside', () => new DirtyBitmap(core, 2 ** 31, 10), /would end at byte .* the memory has/],
    ['an end outside', () => new DirtyBitmap(core, place, 2 ** 30), /pass another address, fewer pages, or grow/],
    ['a negative frame', () => new DirtyBitmap(core, place, 10, { baseFrame: -1 }), /baseFrame is -1/],
    ['inexact frames', () => new DirtyBitmap(core, place, 10, { baseFrame: 2 ** 53 - 1 }), /baseFrame is 900719925/],
    [
      'more pages than bytes',
      () => DirtyBitmap.fromBytes(core, new Uint8Array(1), { pageCount: 9 }),
      /pageCount is 9/,
    ],
    ['no bytes', () => DirtyBitmap.fromBytes(core, new Uint8Array(0)), /pageCount is 0/],
  ])('%s', (_, run, sentence) => {
    expect(run).toThrow(CoreRangeError);
    expect(run).toThrow(sentence);
    expect(run).toThrow(expect.objectContaining({ code: 'CORE_ARGUMENT_RANGE' }));
  });

  test('no core, no number', () => {
    expect(() => new DirtyBitmap({} as BitmapCore, place, 10)).toThrow(CoreTypeError);
    expect(() => new DirtyBitmap(core, place, number('10'))).toThrow(/pageCount must be a number, not string/);
  });
});

describe('a range that is not inside', () => {
  const other = DirtyBitmap.allocate(core, 1000, { baseFrame: 100 });
  const operations: [string, (start?: number, end?: number) => unknown][] = [
    ['any', (start, end) => bitmap.any(start, end)],
    ['count', (start, end) => bitmap.count(start, end)],
    ['extract', (start, end) => bitmap.extract(start, end)],
    ['runs', (start, end) => bitmap.runs(start, end)],
    ['histogram', (start, end) => bitmap.histogram(8, start, end)],
    ['set', (start, end) => bitmap.set(start, end)],
    ['clear', (start, end) => bitmap.clear(start, end)],
    ['or', (start, end) => bitmap.or(other, start, end)],
    ['andNot', (start, end) => bitmap.andNot(other, start, end)],
    ['harvest', (start, end) => bitmap.harvest(other, start, end)],
    ['harvestAtomic', (start, end) => bitmap.harvestAtomic(other, start, end)],
  ];
  test.each(operations)('%s', (_, run) => {
    expect(() => run(99, 200)).toThrow(/startFrame is 99: pass an integer from 100 to 1100/);
    expect(() => run(100, 1101)).toThrow(/endFrame is 1101: pass an integer from 100 to 1100/);
    expect(() => run(200, 199)).toThrow(/endFrame is 199: pass an integer from 200 to 1100/);
    expect(() => run(100.5)).toThrow(CoreRangeError);
    expect(() => run(Number.NaN)).toThrow(CoreRangeError);
    expect(() => run(number(100n))).toThrow(CoreTypeError);
    expect(() => run(1100, 1100)).not.toThrow();
  });

  test('a frame outside', () => {
    expect(() => bitmap.has(1100)).toThrow(/frame is 1100: pass an integer from 100 to 1099/);
  });

  test.each([0, 3, 2 ** 32, 0.5, -8])('regions of %d pages', (regionPages) => {
    expect(() => bitmap.histogram(regionPages)).toThrow(CoreRangeError);
    expect(() => bitmap.histogramAll(regionPages)).toThrow(CoreRangeError);
  });
});

describe('a second bitmap that does not match', () => {
  test.each([
    [
      'other pages',
      DirtyBitmap.allocate(core, 999, { baseFrame: 100 }),
      /has 999 pages from frame 100, this one 1000/,
    ],
    ['another base', DirtyBitmap.allocate(core, 1000), /has 1000 pages from frame 0/],
    ['another memory', DirtyBitmap.allocate(new BitmapCore(), 1000, { baseFrame: 100 }), /lies in another memory/],
    ['null', null as unknown as DirtyBitmap, /must be a DirtyBitmap, not null/],
    ['something else', {} as DirtyBitmap, /must be a DirtyBitmap, not object/],
  ])('%s', (_, second, sentence) => {
    for (const run of [
      () => bitmap.or(second),
      () => bitmap.andNot(second),
      () => bitmap.harvest(second),
      () => bitmap.harvestAtomic(second),
    ]) {
      expect(run).toThrow(CoreTypeError);
      expect(run).toThrow(sentence);
    }
  });
});
