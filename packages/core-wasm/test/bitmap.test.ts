import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { BitmapCore, DirtyBitmap } from '../src/index.js';
import { compareReads, compareWrites, expectSame, flat, range } from './bitmap-compare.js';
import { Guarded, allPages, allRegions, allRuns, randomPages, randomSource, variants } from './bitmap-model.js';

const CHUNK_PAGES = 16_384;

describe.each(variants)('$build build, simd $simd, shared $shared', (variant) => {
  test('every length from 1 to 320 pages, whole and cut at both ends', () => {
    const core = new BitmapCore(variant);
    const random = randomSource(7);
    for (let pageCount = 1; pageCount <= 320; pageCount++) {
      const clustered = pageCount % 2 === 0;
      const pages = randomPages(pageCount, [0.03, 0.5, 1, 0][pageCount % 4] ?? 0, clustered, pageCount);
      const one = new Guarded(core, pageCount, pages, 1000);
      const start = Math.floor(random() * pageCount);
      const end = start + Math.floor(random() * (pageCount - start + 1));
      const regionPages = 2 ** Math.floor(random() * 10);
      compareReads(one, 0, pageCount, regionPages);
      compareReads(one, start, end, regionPages);
      const other = new Guarded(core, pageCount, randomPages(pageCount, 0.3, !clustered, pageCount + 1), 1000);
      compareWrites(one, other, start, end, pageCount % 3 === 0);
      compareWrites(one, other, 0, pageCount, pageCount % 3 === 1);
    }
  });

  test('any range of any density, over several chunks', () => {
    const density = fc.constantFrom(0, 0.0001, 0.001, 0.004, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 1);
    const property = fc.property(
      fc.integer({ min: 1, max: 3 * CHUNK_PAGES + 4000 }),
      density,
      density,
      fc.boolean(),
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      fc.integer({ min: 0, max: 16 }),
      fc.integer(),
      (pageCount, first, second, clustered, cuts, shift, seed) => {
        // Two halves of different density: the kernels change their way between them.
        const half = Math.floor(pageCount / 2);
        const pages = [
          ...randomPages(half, first, clustered, seed),
          ...randomPages(pageCount - half, second, !clustered, seed + 1).map((page) => half + page),
        ];
        const core = new BitmapCore(variant);
        const one = new Guarded(core, pageCount, pages);
        const [start = 0, end = 0] = cuts.map((cut) => Math.round(cut * pageCount)).sort((a, b) => a - b);
        compareReads(one, start, end, 2 ** shift);
        compareWrites(
          one,
          new Guarded(core, pageCount, randomPages(pageCount, second, true, seed)),
          start,
          end,
          true,
        );
        compareWrites(one, new Guarded(core, pageCount, randomPages(pageCount, first, false, seed)), 0, end, false);
      },
    );
    fc.assert(property, { numRuns: variant.build === 'debug' ? 8 : 16 });
  });

  test.each([
    ['all dirty', 1, false],
    ['every second page', 0, true],
    ['half of them', 0.5, false],
    ['heaps', 0.5, true],
  ])('outputs larger than the buffer go on where they stopped: %s', (name, density, clustered) => {
    const pageCount = 20 * CHUNK_PAGES + 4321;
    const core = new BitmapCore(variant);
    const pages = randomPages(pageCount, density, clustered, 3);
    const every = name === 'every second page' ? range(0, pageCount).filter((page) => page % 2 === 0) : pages;
    const one = new Guarded(core, pageCount, every, 2 ** 33);
    const batches = { frames: 0, runs: 0, regions: 0 };
    for (let from = one.bitmap.baseFrame; from < one.bitmap.endFrame; batches.frames++) {
      const batch = one.bitmap.extract(from);
      expect(batch.pages.length).toBeLessThanOrEqual(65_536);
      from = batch.nextFrame;
    }
    for (let from = one.bitmap.baseFrame; from < one.bitmap.endFrame; batches.regions++) {
      from = one.bitmap.histogram(1, from).nextFrame;
    }
    expect(batches.frames).toBeGreaterThanOrEqual(every.length / 65_536);
    expect(batches.regions).toBe(Math.ceil(pageCount / 65_536));
    const base = one.bitmap.baseFrame;
    expectSame(
      allPages(one.bitmap),
      every.map((page) => base + page),
      name,
    );
    const runs = one.model.runs(0, pageCount).map((run) => ({ start: base + run.start, length: run.length }));
    expectSame(flat(allRuns(one.bitmap)), flat(runs), name);
    expectSame([...one.bitmap.histogramAll(1)], one.model.histogram(1, 0, pageCount), name);
  });

  test('the iterators give frames and let the loop use the core', () => {
    const core = new BitmapCore(variant);
    const { bitmap, model } = new Guarded(core, 70_000, randomPages(70_000, 0.2, true, 5), 5_000_000_000);
    const runs: { start: number; length: number }[] = [];
    for (const run of bitmap) {
      runs.push(run);
      if (!bitmap.has(run.start)) throw new Error(`${run.start} is clean`);
      bitmap.extract(run.start, run.start + 1);
    }
    const expected = model.runs(0, 70_000);
    expectSame(
      flat(runs),
      flat(expected.map((run) => ({ start: 5_000_000_000 + run.start, length: run.length }))),
      'runs',
    );
    const frames = model.within(3, 69_999).map((page) => 5_000_000_000 + page);
    expectSame([...bitmap.frames(5_000_000_003, 5_000_069_999)], frames, 'frames');
  });
});

describe('DirtyBitmap', () => {
  const core = new BitmapCore();

  test('fromBytes copies; bit 0 of byte 0 is the first page; bits behind pageCount stay out', () => {
    const bytes = Uint8Array.of(0x81, 0, 0xff);
    expect([...DirtyBitmap.fromBytes(core, bytes, { baseFrame: 100 }).frames()]).toEqual([
      ...[100, 107],
      ...range(116, 124),
    ]);
    const cut = DirtyBitmap.fromBytes(core, bytes, { pageCount: 18 });
    expect([cut.pageCount, cut.sizeBytes, cut.count()]).toEqual([18, 8, 4]);
    bytes.fill(0);
    expect(cut.count()).toBe(4);
  });

  test('allocate is clean, also in memory that was used before', () => {
    const { memory } = new BitmapCore();
    memory.grow(16);
    new Uint8Array(memory.buffer).fill(0xff);
    const over = new BitmapCore({ memory });
    expect(DirtyBitmap.allocate(over, 1000).any()).toBe(false);
  });

  test('has one frame, bytes are the storage itself', () => {
    const bitmap = DirtyBitmap.allocate(core, 200, { baseFrame: 2 ** 40 });
    bitmap.bytes[24] = 0x80;
    expect([bitmap.has(2 ** 40 + 199), bitmap.has(2 ** 40 + 198)]).toEqual([true, false]);
    expect([...bitmap]).toEqual([{ start: 2 ** 40 + 199, length: 1 }]);
  });

  test('frames are exact beyond 2^32 and up to 2^53', () => {
    for (const baseFrame of [2 ** 32 - 10, 2 ** 32, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER - 20_000]) {
      const bitmap = DirtyBitmap.allocate(core, 20_000, { baseFrame });
      bitmap.set(baseFrame + 9, baseFrame + 12);
      bitmap.set(baseFrame + 19_999, baseFrame + 20_000);
      const expected = [9, 10, 11, 19_999].map((page) => baseFrame + page);
      expect(allPages(bitmap)).toEqual(expected);
      expect([...bitmap]).toEqual([
        { start: baseFrame + 9, length: 3 },
        { start: baseFrame + 19_999, length: 1 },
      ]);
      expect(bitmap.count(baseFrame + 10)).toBe(3);
    }
  });

  test('the largest bitmap: 2^32 - 1 pages, with its last page', () => {
    const large = new BitmapCore({ maximumBytes: 2 ** 30 });
    const pageCount = 2 ** 32 - 1;
    // Not `allocate`, which would write all of it: what is never written costs nothing.
    const bitmap = new DirtyBitmap(large, large.allocate(2 ** 29), pageCount, { baseFrame: 7 });
    bitmap.set(7 + 3_000_000_000, 7 + 3_000_000_100);
    bitmap.set(bitmap.endFrame - 70, bitmap.endFrame);
    expect(bitmap.count()).toBe(170);
    const expected = [
      { start: 3_000_000_007, length: 100 },
      { start: bitmap.endFrame - 70, length: 70 },
    ];
    expect(allRuns(bitmap)).toEqual(expected);
    expect(allPages(bitmap).at(-1)).toBe(bitmap.endFrame - 1);
    expect([...bitmap.histogramAll(2 ** 31)]).toEqual([0, 170]);
    expect(allRegions(bitmap, 2 ** 20).length).toBe(4096);
  });
});
