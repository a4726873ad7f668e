import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findHotRegions } from '../../src/dirty-rate/index.js';

const scale = { regionPages: 16, pageCount: 16 * 12, samples: 2, elapsedMs: 2000 };

it('puts neighbours of like density together and the busiest first', () => {
  const counts = [0, 1, 0, 0, 30, 32, 32, 2, 0, 0, 5, 5];
  expect(findHotRegions(counts, scale, 8)).toEqual([
    // The last of it is dirty in part only: it is the edge.
    { startFrame: 64, endFrame: 128, pagesPerSecond: 48, share: 96 / 107, density: 96 / 128 },
    { startFrame: 160, endFrame: 192, pagesPerSecond: 5, share: 10 / 107, density: 10 / 64 },
    { startFrame: 16, endFrame: 32, pagesPerSecond: 0.5, share: 1 / 107, density: 1 / 32 },
  ]);
});

it('ends with the map, and finds nothing in a quiet guest', () => {
  expect(findHotRegions([0, 0, 3], { ...scale, pageCount: 40 }, 8)).toMatchObject([{ startFrame: 32, endFrame: 40 }]);
  expect(findHotRegions([0, 0], scale, 8)).toEqual([]);
});

it('loses no page and overlaps nowhere, whatever the counts', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 100 }), (counts) => {
      const regions = findHotRegions(counts, { ...scale, pageCount: counts.length * 16 }, Infinity);
      const dirty = regions.reduce((sum, { pagesPerSecond }) => sum + pagesPerSecond * 2, 0);
      expect(dirty).toBeCloseTo(
        counts.reduce((a, b) => a + b, 0),
        6,
      );
      const byPlace = [...regions].sort((a, b) => a.startFrame - b.startFrame);
      for (const [index, { startFrame }] of byPlace.entries()) {
        expect(startFrame).toBeGreaterThanOrEqual(byPlace[index - 1]?.endFrame ?? 0);
      }
    }),
  );
});
