import { expect, it } from 'vitest';
import { DirtyRateError, measureDirtyRate, summarise } from '../../src/dirty-rate/index.js';
import { SimulatedGuest } from './simulated-guest.js';

it('says how much, how hot, how often again, and where', async () => {
  const guest = new SimulatedGuest(100_000, [
    { order: 'cyclic', first: 40_000, pages: 1000, writesPerSecond: 5000 },
    { order: 'cyclic', first: 0, pages: 30_000, writesPerSecond: 100 },
  ]);
  const samples = [];
  const source = { ...guest.source(), memoryPages: 90_000 };
  for await (const sample of measureDirtyRate(source, { intervalMs: 500, samples: 8, clock: guest })) {
    samples.push(sample);
  }
  const summary = summarise(samples, source);
  expect(summary).toMatchObject({
    description: 'a simulated guest',
    samples: 8,
    elapsedMs: 4000,
    overruns: 0,
    pageCount: 100_000,
    memoryPages: 90_000,
    mean: { pagesPerSecond: 2100, bytesPerSecond: 2100 * 4096 },
    peak: { pagesPerSecond: 2100 },
    workingSetPages: 1400,
    again: { pages: 1000, everySample: 1000 },
  });
  expect(summary.again?.share).toBeCloseTo(1000 / 1050, 10);
  expect(summary.hottest?.[0]).toMatchObject({ startFrame: 40_000, share: expect.closeTo(0.95, 1) as number });
  expect(summary.hottest?.[0]?.endFrame).toBe(41_024);
  expect(summary.profile).toMatchObject({
    memoryPages: 90_000,
    holePages: 10_000,
    incidence: { samples: 8, once: 400, twice: 0 },
  });
});

it('has nothing to say of nothing', () => {
  expect(() => summarise([], new SimulatedGuest(1, []).source())).toThrow(DirtyRateError);
});
