import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DirtyProfile,
  measureDirtyRate,
  type PrecopyLink,
  predictPrecopy,
  simulatePrecopy,
  simulatePrecopyAtLoad,
  summarise,
} from '../../src/dirty-rate/index.js';
import { idealProfile, migrate, SimulatedGuest, type Writer } from './simulated-guest.js';

const pagesPerSecond = (pages: number) => pages * (4096 + 8 + 16 / 1024);
const xen = (more: Partial<PrecopyLink> = {}): PrecopyLink => ({
  bandwidthBytesPerSecond: pagesPerSecond(10_000),
  downtimeMs: 300,
  policy: 'xen',
  ...more,
});
/** Never the same page twice. */
const stream = (memoryPages: number, rate: number): DirtyProfile => ({
  windows: [500, 1000].map((windowMs) => ({ windowMs, pages: (rate * windowMs) / 1000, count: 1 })),
  incidence: null,
  memoryPages,
  holePages: 0,
  pageSizeBytes: 4096,
});

describe("xl migrate, by libxc's rule", () => {
  it('an idle guest: everything once, then an empty pause', () => {
    const { rounds, pauseMs, verdict, totalPages } = simulatePrecopy(stream(100_000, 0), xen());
    expect(rounds.map(({ pages, paused }) => [pages, paused])).toEqual([
      [100_000, false],
      [0, false],
      [0, true],
    ]);
    expect(pauseMs).toBe(0);
    expect(verdict).toBe('converges');
    expect(totalPages).toBe(100_000);
  });

  it('a busy guest: five rounds while it runs, and what the fifth left behind', () => {
    const { rounds } = simulatePrecopy(stream(100_000, 5000), xen());
    const halves = [100_000, 50_000, 25_000, 12_500, 6250, 3125];
    expect(rounds.map(({ pages }) => pages)).toEqual(halves.map((pages) => expect.closeTo(pages, 3) as number));
    expect(rounds.map(({ paused }) => paused)).toEqual([false, false, false, false, false, true]);
    expect(rounds[0]?.durationMs).toBeCloseTo(10_000, 6);
  });

  it('fewer than 50 dirty pages are still sent while it runs, then comes the pause', () => {
    const { rounds } = simulatePrecopy(stream(100_000, 48), xen());
    expect(rounds.map(({ pages }) => Math.round(pages))).toEqual([100_000, 480, 2, 0]);
    const fifty = simulatePrecopy(stream(10_000, 50), xen());
    expect(fifty.rounds.map(({ pages }) => Math.round(pages * 1000) / 1000)).toEqual([10_000, 50, 0.25, 0.001]);
  });

  it('a page of a hole is named, and costs 8 bytes and its part of the record', () => {
    const { rounds } = simulatePrecopy({ ...stream(1024, 0), holePages: 2048 }, xen());
    expect(rounds[0]?.bytes).toBe(1024 * 4096 + 3 * (16 + 1024 * 8));
    expect(rounds[0]?.pages).toBe(1024);
  });

  it('adds the part of the pause that is not memory', () => {
    const { pauseMs, verdict } = simulatePrecopy(stream(1000, 0), xen({ fixedPauseMs: 301 }));
    expect([pauseMs, verdict]).toEqual([301, 'pause-too-long']);
  });

  it('a guest that suspends itself writes on until it stands still', () => {
    const lastPages = (suspendMs: number) =>
      simulatePrecopy(stream(20_000, 5000), xen({ suspendMs })).rounds.at(-1)?.pages ?? 0;
    expect(lastPages(100) - lastPages(0)).toBeCloseTo(500, 2);
    const qemu = (suspendMs: number) => simulatePrecopy(stream(20_000, 500), xen({ policy: 'qemu', suspendMs }));
    expect(qemu(100)).toEqual(qemu(0));
  });

  it('xl save: everything is sent in the pause', () => {
    const { rounds, pauseMs } = simulatePrecopy(stream(20_000, 5000), xen({ policy: 'xen-save' }));
    expect(rounds).toHaveLength(1);
    expect(pauseMs).toBeCloseTo(2000, 6);
  });
});

describe("QEMU's rule", () => {
  const link: PrecopyLink = { bandwidthBytesPerSecond: 4104 * 10_000, downtimeMs: 300, policy: 'qemu' };

  it('ends when the rest fits into the pause, after as many rounds as it takes', () => {
    const { verdict, rounds, roundCount, pauseMs } = simulatePrecopy(stream(100_000, 8000), link);
    expect(verdict).toBe('converges');
    const guest = new SimulatedGuest(100_000, [{ order: 'cyclic', first: 0, pages: 100_000, writesPerSecond: 8000 }]);
    const real = migrate(guest, 'qemu', link.bandwidthBytesPerSecond, link.downtimeMs);
    expectWithin(roundCount, real.roundPages.length, 0.2);
    expect(pauseMs).toBeLessThanOrEqual(300);
    expect(rounds.at(-1)?.paused).toBe(true);
  });

  it('never ends where a round leaves as much as it sends', () => {
    const outcome = simulatePrecopy(stream(100_000, 10_000), link);
    expect(outcome.verdict).toBe('never-ends');
    expect(outcome.pauseMs).toBeNull();
    expect(outcome.rounds.every(({ paused }) => !paused)).toBe(true);
  });

  it('decides by the size in memory: zeros are found only when they are sent', () => {
    // As QEMU 7.2 did with 256 MiB, half of them zeros and half rewritten all the time, at 100 MiB/s and 2 s: 258
    // MiB.
    const hot = { windowMs: 1000, pages: 32_768, count: 1 };
    const profile = { ...stream(65_536, 0), windows: [hot, { ...hot, windowMs: 2000 }] };
    const sent = {
      bandwidthBytesPerSecond: 100 * 2 ** 20,
      downtimeMs: 2000,
      policy: 'qemu' as const,
      zeroShare: 0.5,
    };
    const { rounds, totalBytes } = simulatePrecopy(profile, sent);
    // 200 MiB fit, some of them zeros: all that was pending before the last look, and what was written since.
    const [last] = rounds.slice(-1);
    expect(((last?.pages ?? 0) * 4096) / 2 ** 20).toBeLessThanOrEqual(200);
    expect(last?.bytes).toBeLessThan((last?.pages ?? 0) * 4096 * 0.9);
    // Less than QEMU did: it sends by address, and here the zeros come last.
    expectWithin(totalBytes / 2 ** 20, 258, 0.1);
  });

  it('zero pages cost 9 bytes in the first round', () => {
    const { rounds } = simulatePrecopy(stream(100_000, 0), { ...link, zeroShare: 0.5 });
    const bytes = rounds.reduce((sum, round) => sum + round.bytes, 0);
    expect(bytes).toBeCloseTo(50_000 * 4104 + 50_000 * 9, 3);
  });
});

const anyProfile = fc
  .tuple(
    fc.integer({ min: 1000, max: 4_000_000 }),
    fc.double({ min: 0.0005, max: 1, noNaN: true }),
    fc.double({ min: 0.01, max: 50, noNaN: true }),
  )
  .map(([memory, part, turns]) => idealProfile(memory, Math.max(1, memory * part), memory * part * turns));
const policy = fc.constantFrom('xen' as const, 'qemu' as const);
const bandwidth = fc.double({ min: 1e7, max: 1e11, noNaN: true });

describe('the verdict', () => {
  it('is monotone in bandwidth, wherever the pause is long enough for the 50 pages that libxc does not mind', () => {
    fc.assert(
      fc.property(
        anyProfile,
        policy,
        bandwidth,
        fc.double({ min: 1, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 3000 }),
        (profile, policy, slow, factor, downtimeMs) => {
          fc.pre((slow * downtimeMs) / 1000 >= 50 * 4105);
          const at = (bandwidthBytesPerSecond: number) =>
            simulatePrecopy(profile, { bandwidthBytesPerSecond, downtimeMs, policy }).verdict;
          return at(slow) !== 'converges' || at(slow * factor) === 'converges';
        },
      ),
    );
  });

  it('is monotone in the allowed pause and in the load', () => {
    fc.assert(
      fc.property(
        anyProfile,
        policy,
        bandwidth,
        fc.integer({ min: 20, max: 3000 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (profile, policy, bandwidthBytesPerSecond, downtimeMs, part) => {
          const link = { bandwidthBytesPerSecond, downtimeMs, policy };
          if (simulatePrecopy(profile, link).verdict !== 'converges') return;
          expect(simulatePrecopy(profile, { ...link, downtimeMs: downtimeMs * 3 }).verdict).toBe('converges');
          expect(simulatePrecopyAtLoad(profile, link, part).verdict).toBe('converges');
        },
      ),
    );
  });
});

describe('what would make it converge', () => {
  it('is enough, and a hundredth less is not', () => {
    fc.assert(
      fc.property(anyProfile, policy, bandwidth, (profile, policy, bandwidthBytesPerSecond) => {
        const link: PrecopyLink = { bandwidthBytesPerSecond, downtimeMs: 100, policy };
        const { verdict, remedy } = predictPrecopy(profile, link);
        expect(remedy === null).toBe(verdict === 'converges');
        if (!remedy) return;
        const converges = (change: Partial<PrecopyLink>) =>
          simulatePrecopy(profile, { ...link, ...change }).verdict === 'converges';
        const { bandwidthBytesPerSecond: more, downtimeMs, loadFactor } = remedy;
        if (more !== null) {
          expect(converges({ bandwidthBytesPerSecond: more })).toBe(true);
          expect(converges({ bandwidthBytesPerSecond: more * 0.99 })).toBe(false);
        }
        if (downtimeMs !== null) {
          expect(converges({ downtimeMs })).toBe(true);
          expect(converges({ downtimeMs: downtimeMs * 0.99 })).toBe(false);
        }
        if (loadFactor !== null) {
          expect(simulatePrecopyAtLoad(profile, link, loadFactor).verdict).toBe('converges');
          expect(simulatePrecopyAtLoad(profile, link, loadFactor * 1.01).verdict).not.toBe('converges');
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a pause that is long without memory is not shortened by any network', () => {
    const { remedy } = predictPrecopy(stream(1000, 10), xen({ fixedPauseMs: 400 }));
    expect(remedy).toEqual({
      bandwidthBytesPerSecond: null,
      downtimeMs: expect.closeTo(400, 0) as number,
      loadFactor: null,
    });
  });
});

describe('against a migration played through page by page', () => {
  const memory = 60_000;
  const writers: Record<string, readonly Writer[]> = {
    'a ring': [{ order: 'cyclic', first: 5000, pages: 8000, writesPerSecond: 3000 }],
    'a ring that is faster than the interval': [{ order: 'cyclic', first: 0, pages: 2000, writesPerSecond: 9000 }],
    'random writes': [{ order: 'random', first: 100, pages: 20_000, writesPerSecond: 6000 }],
    'a hot spot in a quiet guest': [
      { order: 'random', first: 30_000, pages: 600, writesPerSecond: 30_000 },
      { order: 'random', first: 0, pages: 50_000, writesPerSecond: 800 },
    ],
    'a stream through all memory': [{ order: 'cyclic', first: 0, pages: memory, writesPerSecond: 4000 }],
    'an almost idle guest': [{ order: 'random', first: 0, pages: 500, writesPerSecond: 30 }],
  };
  const links = [3000, 10_000, 40_000, 200_000].map(pagesPerSecond);
  const cases = Object.keys(writers).flatMap((name) =>
    links.flatMap((link) =>
      (['xen', 'qemu'] as const).map((policy) => [name, policy, Math.round(link / 4104), link] as const),
    ),
  );

  it.each(cases)('%s, %s at %d pages a second', async (name, policy, _, link) => {
    const { predicted, real } = await predictAndMigrate(writers[name] ?? [], policy, link);
    if (real.pauseMs === null) {
      expect(predicted.verdict).toBe('never-ends');
      return;
    }
    expectWithin(predicted.totalBytes, real.bytes, 0.1);
    expectWithin(predicted.totalMs, real.elapsedMs, 0.1);
    if (policy === 'xen') {
      expect(predicted.roundCount).toBe(real.roundPages.length);
      expectWithin(predicted.pauseMs ?? Infinity, real.pauseMs, 0.15, fewPagesMs(link));
    } else {
      // QEMU looks every 50 ms; at which moment within them hangs on a handful of pages.
      expect(predicted.pauseMs).toBeLessThanOrEqual(downtimeMs);
      expectWithin(predicted.pauseMs ?? Infinity, real.pauseMs, 0, 50);
    }
  });

  it('any two writers: bytes within a tenth, the pause within a quarter', async () => {
    // No more than four rounds a second: of what repeats within the shortest window, 62 ms, nobody knows the order.
    const writer = fc.record({
      order: fc.constantFrom('cyclic' as const, 'random' as const),
      first: fc.integer({ min: 0, max: memory / 2 }),
      pages: fc.integer({ min: 2000, max: memory / 2 }),
      writesPerSecond: fc.integer({ min: 0, max: 8000 }),
    });
    // The longest round, the first, is no longer than what was measured.
    const link = fc.integer({ min: memory / 10, max: 300_000 }).map(pagesPerSecond);
    await fc.assert(
      fc.asyncProperty(fc.array(writer, { minLength: 1, maxLength: 2 }), link, async (writers, link) => {
        // On the brink, where a guest writes as fast as the link sends, each round multiplies the error of the one
        // before.
        const writes = writers.reduce((sum, { writesPerSecond }) => sum + writesPerSecond, 0);
        fc.pre(link >= 1.5 * pagesPerSecond(writes));
        const { predicted, real } = await predictAndMigrate(writers, 'xen', link);
        expectWithin(predicted.totalBytes, real.bytes, 0.1);
        expectWithin(predicted.pauseMs ?? Infinity, real.pauseMs ?? 0, 0.25, fewPagesMs(link));
      }),
      // A fixed seed: of 400 pairs about one has two overlapping rings whose phases no measurement of 10 s tells.
      { numRuns: 60, seed: 20261122 },
    );
  });

  const downtimeMs = 100;
  /** Where libxc stops, a page more or less decides on one round more or less. */
  const fewPagesMs = (link: number) => (60 * 4104 * 1000) / link;

  async function predictAndMigrate(writers: readonly Writer[], policy: 'xen' | 'qemu', bandwidth: number) {
    const link = { bandwidthBytesPerSecond: bandwidth, downtimeMs, policy };
    const measured = new SimulatedGuest(memory, writers, 7);
    const samples = [];
    const options = { intervalMs: 1000, samples: 10, clock: measured };
    for await (const sample of measureDirtyRate(measured.source(), options)) samples.push(sample);
    const { profile } = summarise(samples, measured.source());
    const predicted = simulatePrecopy(profile, link);
    const guest = new SimulatedGuest(memory, writers, 99);
    guest.run(20_000);
    return { predicted, real: migrate(guest, policy, bandwidth, downtimeMs) };
  }
});

function expectWithin(predicted: number, real: number, part: number, absolute = 0): void {
  expect(Math.abs(predicted - real)).toBeLessThanOrEqual(part * real + absolute);
}
