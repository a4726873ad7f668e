import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameBatches, runBatches } from '../src/worker-shapes.js';

/** The runs of a set of pages in one piece `[start, end)`, as a thread finds them. */
function runsIn(dirty: readonly boolean[], start: number, end: number): Uint32Array {
  const pairs: number[] = [];
  for (let page = start; page < end; page++) {
    if (!dirty[page]) continue;
    const from = page;
    while (page < end && dirty[page]) page++;
    pairs.push(from, page - from);
  }
  return Uint32Array.from(pairs);
}

test('runs that were cut into pieces are whole again, wherever the cuts are', () => {
  const pages = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
  const cuts = fc.array(fc.nat(60), { maxLength: 20 });
  const property = (dirty: boolean[], cuts: number[]): void => {
    const inside = cuts.filter((cut) => cut > 0 && cut < dirty.length);
    const borders = [...new Set([0, ...inside, dirty.length])].sort((one, two) => one - two);
    const shape = runBatches(1000);
    const batches = borders.slice(1).flatMap((end, index) => {
      return shape.push(runsIn(dirty, borders[index] ?? 0, end), end).map((batch) => ({
        ...batch,
        pairs: [...batch.pairs],
      }));
    });
    batches.push(...shape.flush().map((batch) => ({ ...batch, pairs: [...batch.pairs] })));
    expect(batches.flatMap(({ pairs }) => pairs)).toEqual([...runsIn(dirty, 0, dirty.length)]);
    for (const { pairs, runCount, baseFrame, nextFrame } of batches) {
      expect(runCount).toBe(pairs.length / 2);
      expect(runCount).toBeGreaterThan(0);
      // Who goes on there sees the runs that follow, whole.
      const rest = batches
        .flatMap((batch) => batch.pairs)
        .filter((_, at, all) => {
          return (all[at - (at % 2)] ?? 0) >= (pairs.at(-2) ?? 0) + 1;
        });
      expect([...runsIn(dirty, nextFrame - baseFrame, dirty.length)]).toEqual(rest);
    }
    expect(shape.flush()).toEqual([]);
  };
  fc.assert(fc.property(pages, cuts, property), { numRuns: 500 });
});

test('a piece without frames makes no batch', () => {
  const shape = frameBatches(10);
  expect(shape.push(Uint32Array.of(), 5)).toEqual([]);
  expect(shape.push(Uint32Array.of(6), 9)).toEqual([{ pages: Uint32Array.of(6), baseFrame: 10, nextFrame: 19 }]);
  expect(shape.flush()).toEqual([]);
});
