import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DirtyTracker } from '../../src/dirty-rate/index.js';

/** Writes pages as a source would. */
function land(tracker: DirtyTracker, pages: Iterable<number>): void {
  const { landing } = tracker;
  for (const page of pages) landing[page >> 3] = (landing[page >> 3] ?? 0) | (1 << (page & 7));
}

function addSample(tracker: DirtyTracker, pages: Iterable<number>) {
  land(tracker, pages);
  tracker.addWindow(1000, 0, undefined);
  return tracker.finishSample();
}

const union = (sets: readonly ReadonlySet<number>[]) => new Set(sets.flatMap((set) => [...set]));

/** The same in sets. */
function naive(samples: readonly ReadonlySet<number>[], pageCount: number) {
  const times = new Uint32Array(pageCount);
  for (const sample of samples) for (const page of sample) times[page] = (times[page] ?? 0) + 1;
  const atLeast = (count: number) => times.filter((time) => time >= count).length;
  const windows = new Map<number, number>();
  for (let length = 1; length <= samples.length; length *= 2) {
    const sizes = [];
    for (let from = 0; from + length <= samples.length; from += length) {
      sizes.push(union(samples.slice(from, from + length)).size);
    }
    windows.set(length, sizes.reduce((sum, size) => sum + size, 0) / sizes.length);
  }
  for (let length = 3; length <= samples.length; length++) {
    if (!windows.has(length)) windows.set(length, union(samples.slice(0, length)).size);
  }
  return {
    sets: { once: atLeast(1), twice: atLeast(2), thrice: atLeast(3), always: atLeast(samples.length) },
    windows: [...windows].sort(([a], [b]) => a - b),
  };
}

describe('the tracker', () => {
  it('counts what samples have in common as sets do, for any size of the map', () => {
    const scenario = fc
      .integer({ min: 1, max: 1500 })
      .chain((pageCount) =>
        fc.tuple(
          fc.constant(pageCount),
          fc.array(fc.uniqueArray(fc.nat(pageCount - 1), { maxLength: 300 }), { minLength: 1, maxLength: 14 }),
        ),
      );
    fc.assert(
      fc.property(scenario, ([pageCount, lists]) => {
        const tracker = new DirtyTracker(pageCount, lists.length);
        const samples = lists.map((list) => new Set(list));
        const seen = new Set<number>();
        for (const [index, sample] of samples.entries()) {
          const { pages, newPages, repeatedPages, heat } = addSample(tracker, sample);
          const before = samples[index - 1];
          expect(pages).toBe(sample.size);
          expect(newPages).toBe([...sample].filter((page) => !seen.has(page)).length);
          expect(repeatedPages).toBe(before ? [...sample].filter((page) => before.has(page)).length : null);
          expect(heat.counts.reduce((sum, count) => sum + count, 0)).toBe(sample.size);
          for (const page of sample) seen.add(page);
        }
        const { sets, windows } = tracker.accumulated();
        const expected = naive(samples, pageCount);
        expect(sets).toEqual(expected.sets);
        expect(windows.map(({ windowMs, pages }) => [windowMs / 1000, pages])).toEqual(expected.windows);
      }),
      { numRuns: 60 },
    );
  });

  it('puts the parts of an interval together, each with its own length', () => {
    const tracker = new DirtyTracker(1000, 1);
    land(tracker, [1, 2]);
    tracker.addWindow(250, -2, undefined);
    land(tracker, [2, 3]);
    tracker.addWindow(250, -2, -1);
    land(tracker, [3, 4, 5]);
    tracker.addWindow(500, -1, 0);
    expect(tracker.finishSample()).toMatchObject({ pages: 5, newPages: 5 });
    expect(tracker.accumulated().windows).toEqual([
      { windowMs: 250, pages: 2, count: 2 },
      { windowMs: 500, pages: 3, count: 2 },
      { windowMs: 1000, pages: 5, count: 1 },
    ]);
  });

  it('keeps what it knows when the guest gets more memory', () => {
    const tracker = new DirtyTracker(100, 4);
    addSample(tracker, [1, 99]);
    tracker.grow(5000);
    const { newPages, repeatedPages } = addSample(tracker, [1, 4999]);
    expect([newPages, repeatedPages]).toEqual([1, 1]);
    expect(tracker.accumulated().sets).toEqual({ once: 3, twice: 1, thrice: 0, always: 1 });
    tracker.grow(10);
    expect(tracker.pageCount).toBe(5000);
  });

  it('has at most 16,384 regions, of a power of two pages', () => {
    expect(new DirtyTracker(16_384).regionPages).toBe(1);
    expect(new DirtyTracker(16_385).regionPages).toBe(2);
    expect(new DirtyTracker(1_044_480).regionPages).toBe(64);
  });

  it('says so when a guest is too large to be compared', () => {
    expect(() => new DirtyTracker(2 ** 32 - 1, 10)).toThrow(/needs \d+ bytes/);
  });
});
