import { describe, expect, it } from 'vitest';
import {
  type BitmapSource,
  type DirtySample,
  measureDirtyRate,
  type MeasureOptions,
  type RateReading,
  type RateSource,
  summarise,
} from '../../src/dirty-rate/index.js';
import { SimulatedGuest } from './simulated-guest.js';

async function measure(source: BitmapSource | RateSource, options: MeasureOptions): Promise<DirtySample[]> {
  const samples = [];
  for await (const sample of measureDirtyRate(source, options)) samples.push(sample);
  return samples;
}

const ring = (pages: number, writesPerSecond: number) =>
  new SimulatedGuest(10_000, [{ order: 'cyclic', first: 1000, pages, writesPerSecond }]);

describe('measuring a log of dirty pages', () => {
  it('gives the rate of a guest that writes a known number of pages', async () => {
    const guest = ring(8000, 500);
    const samples = await measure(guest.source(), { intervalMs: 1000, samples: 5, clock: guest });
    expect(samples.map(({ pages, elapsedMs }) => [pages, elapsedMs])).toEqual(Array(5).fill([500, 1000]));
    expect(samples.map(({ newPages }) => newPages)).toEqual(Array(5).fill(500));
    expect(samples.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
  });

  it('forgets what was dirtied before it began', async () => {
    const guest = ring(8000, 500);
    guest.run(10_000);
    const [first] = await measure(guest.source(), { intervalMs: 1000, samples: 1, clock: guest });
    expect(first).toMatchObject({ pages: 500, endMs: 1000 });
  });

  it('learns how the dirty set grows from 62.5 ms to the whole measurement', async () => {
    const guest = ring(700, 800);
    const samples = await measure(guest.source(), { intervalMs: 1000, samples: 4, clock: guest });
    const windows = samples.at(-1)?.accumulated.windows.map(({ windowMs, pages }) => [windowMs, pages]);
    expect(windows).toEqual([
      [62.5, 50],
      [125, 100],
      [250, 200],
      [500, 400],
      [1000, 700],
      [2000, 700],
      [3000, 700],
      [4000, 700],
    ]);
  });

  it('looks once an interval where short windows are not wanted, or the interval is short', async () => {
    for (const options of [{ intervalMs: 1000, shortWindows: false }, { intervalMs: 50 }]) {
      const guest = ring(700, 800);
      const [only] = await measure(guest.source(), { ...options, samples: 1, clock: guest });
      expect(only?.accumulated.windows).toHaveLength(1);
    }
  });

  it('uses the time that really passed, and says by how much a sample was late', async () => {
    const guest = ring(8000, 1000);
    const source = guest.source(400);
    const samples = await measure(source, { intervalMs: 200, samples: 3, clock: guest, shortWindows: false });
    for (const { elapsedMs, overrunMs, pagesPerSecond, scanMs } of samples) {
      expect([elapsedMs, overrunMs, scanMs]).toEqual([400, 200, 400]);
      expect(pagesPerSecond).toBe(1000);
    }
    expect(summarise(samples, source)).toMatchObject({ overruns: 3, mean: { pagesPerSecond: 1000 } });
  });

  it('ends quietly on the signal, between samples and in one', async () => {
    for (const after of [2, 2.5]) {
      const guest = ring(8000, 500);
      const stop = new AbortController();
      const sleep = (durationMs: number) => {
        guest.run(durationMs);
        if (guest.now() >= after * 1000) stop.abort();
        stop.signal.throwIfAborted();
        return Promise.resolve();
      };
      const clock = { now: () => guest.now(), sleep };
      const samples = await measure(guest.source(), { intervalMs: 1000, signal: stop.signal, clock });
      expect(samples).toHaveLength(after === 2 ? 1 : 2);
    }
  });

  it('with the real clock wakes up from its sleep on the signal', async () => {
    const stop = new AbortController();
    const source = ring(10, 10).source();
    const measuring = measure(source, { intervalMs: 60_000, signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await measuring).toEqual([]);
  });

  it('lets an error of the source through', async () => {
    const broken: BitmapSource = { ...ring(10, 10).source(), collect: () => Promise.reject(new Error('gone')) };
    await expect(measure(broken, { intervalMs: 1000 })).rejects.toThrow('gone');
  });

  it.each([49, 60_001, 0, -1, NaN])('refuses an interval of %d ms', async (intervalMs) => {
    const guest = ring(10, 10);
    await expect(measure(guest.source(), { intervalMs, clock: guest })).rejects.toThrow(/outside 50 ms to 60000 ms/);
  });

  it('follows a guest whose memory grows', async () => {
    const guest = ring(8000, 500);
    let pageCount = 10_000;
    const source: BitmapSource = Object.create(guest.source(), {
      pageCount: { get: () => pageCount },
    }) as BitmapSource;
    const samples = [];
    for await (const sample of measureDirtyRate(source, { intervalMs: 1000, samples: 3, clock: guest })) {
      samples.push(sample);
      pageCount += 100_000;
    }
    expect(samples.map(({ pageCount }) => pageCount)).toEqual([10_000, 110_000, 210_000]);
    expect(summarise(samples, source).heat?.counts.reduce((a, b) => a + b)).toBe(1500);
  });
});

describe('a source that measures for itself', () => {
  const qemu = (read: (windowMs: number) => RateReading | null): RateSource & { asked: number[] } => ({
    kind: 'rate',
    description: 'a QEMU',
    pageSizeBytes: 4096,
    memoryPages: 10_000,
    pageCount: 10_000,
    windowStepMs: 1000,
    asked: [],
    measure(windowMs) {
      this.asked.push(windowMs);
      return Promise.resolve(read(windowMs));
    },
    close: () => Promise.resolve(),
  });

  it('is asked for longer windows too, before the last sample', async () => {
    const source = qemu((windowMs) => ({ pages: 10 * Math.sqrt(windowMs), elapsedMs: windowMs }));
    const samples = await measure(source, { intervalMs: 1200, samples: 3 });
    expect(source.asked).toEqual([1000, 1000, 2000, 4000, 1000]);
    expect(samples).toHaveLength(3);
    expect(samples[2]).toMatchObject({ newPages: null, heat: null, endMs: 3000 });
    expect(samples[2]?.accumulated.windows.map(({ windowMs }) => windowMs)).toEqual([1000, 2000, 4000]);
    const { mean, workingSetPages, again, hottest } = summarise(samples, source);
    expect(mean.pagesPerSecond).toBeCloseTo(316, 0);
    expect([workingSetPages, again, hottest]).toEqual([null, null, null]);
  });

  it('ends when the guest has migrated away, and asks a running migration for no longer windows', async () => {
    const migration = { syncCount: 2, transferredBytes: 1, remainingBytes: 1, throughputBytesPerSecond: 1 };
    let left = 3;
    const source = qemu((windowMs) => (left-- > 0 ? { pages: 5, elapsedMs: windowMs, migration } : null));
    const samples = await measure(source, { intervalMs: 1000, samples: 9 });
    expect(samples.map((sample) => sample.migration)).toEqual([migration, migration, migration]);
  });
});
