import { requireWithin } from './quantities.js';
import type { Accumulated, DirtySample } from './sample.js';
import { sleep } from './sleep.js';
import {
  type BitmapSource,
  type DirtySource,
  MAXIMUM_INTERVAL_MS,
  type MeasureClock,
  MINIMUM_INTERVAL_MS,
  type RateReading,
  type RateSource,
} from './source.js';
import { DirtyTracker } from './tracker.js';
import { WindowMeans } from './windows.js';

export interface MeasureOptions {
  /** Length of a sample, 50 to 60,000 ms. */
  readonly intervalMs: number;
  /** How many; left out: until `signal` is set off or a recording ends. */
  readonly samples?: number;
  /** Ends the measurement; what was yielded until then stays valid. */
  readonly signal?: AbortSignal;
  /**
   * Looks also at the first half, quarter, eighth … of each interval, down to 50 ms, to learn how much of it is the
   * same pages again. Each look costs the guest a round of write faults. Default true.
   */
  readonly shortWindows?: boolean;
  readonly clock?: MeasureClock;
}

/** An interval is halved at most so often. */
const MAXIMUM_HALVINGS = 4;
/**
 * With a source that measures for itself: these multiples of the interval are measured once, before the last sample.
 */
const LONGER_WINDOW_DOUBLINGS = [1, 2];

/**
 * Watches a guest write its memory, one sample per interval. The source stays open; who opened it closes it.
 *
 * Rates use the time that really passed, and a sample that took longer than its interval says so. Ends when
 * `options.samples` are done, the signal is set off or a recording ends; errors of the source go through.
 *
 * @throws DirtyRateError DIRTY_RATE_RANGE, DIRTY_RATE_TOO_LARGE
 */
export async function* measureDirtyRate(
  source: DirtySource,
  options: MeasureOptions,
): AsyncGenerator<DirtySample, void, undefined> {
  requireWithin(options.intervalMs, 'interval', MINIMUM_INTERVAL_MS, MAXIMUM_INTERVAL_MS, ' ms');
  try {
    yield* source.kind === 'rate' ? watchRate(source, options) : watchBitmaps(source, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}

async function* watchBitmaps(source: BitmapSource, options: MeasureOptions): AsyncGenerator<DirtySample, void> {
  const { intervalMs, samples = Infinity, signal } = options;
  const log = new LogReader(source, new DirtyTracker(source.pageCount, samples), options);
  await log.start();
  const halvings = source.pace === 'live' && options.shortWindows !== false ? halvingsOf(intervalMs) : 0;
  for (let index = 0; index < samples && !signal?.aborted; index++) {
    const sample = await log.sample(index, halvings);
    if (sample === null) return;
    yield sample;
  }
}

/** How often an interval can be halved before its first part is too short. */
function halvingsOf(intervalMs: number): number {
  return Math.max(0, Math.min(MAXIMUM_HALVINGS, Math.floor(Math.log2(intervalMs / MINIMUM_INTERVAL_MS))));
}

class LogReader {
  readonly #source: BitmapSource;
  readonly #tracker: DirtyTracker;
  readonly #intervalMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: MeasureClock;
  /** When the log was last read, and at the beginning. */
  #lookedMs = 0;
  #beganMs = 0;

  constructor(source: BitmapSource, tracker: DirtyTracker, { intervalMs, signal, clock }: MeasureOptions) {
    this.#source = source;
    this.#tracker = tracker;
    this.#intervalMs = intervalMs;
    this.#signal = signal;
    this.#clock = clock ?? runningClock;
  }

  /** Forgets what was dirtied before the measurement. */
  async start(): Promise<void> {
    if (this.#source.pace === 'recorded') return;
    await this.#look();
    this.#tracker.landing.fill(0);
    this.#beganMs = this.#lookedMs;
  }

  async sample(index: number, halvings: number): Promise<DirtySample | null> {
    const fromMs = this.#lookedMs;
    let scanMs = 0;
    for (let part = -halvings; part <= 0; part++) {
      const before = this.#lookedMs;
      const spent = await this.#lookAt(fromMs + this.#intervalMs * 2 ** part);
      if (spent === null) return null;
      scanMs += spent;
      // The first part is as long as the second; each after that is as long as all before it together.
      const first = part === -halvings;
      this.#tracker.addWindow(this.#lookedMs - before, first ? part : part - 1, first ? undefined : part);
    }
    const { pages, newPages, repeatedPages, heat } = this.#tracker.finishSample();
    const elapsedMs = this.#lookedMs - fromMs;
    return {
      index,
      endMs: this.#lookedMs - this.#beganMs,
      elapsedMs,
      overrunMs: Math.max(0, elapsedMs - this.#intervalMs),
      scanMs,
      pageCount: this.#tracker.pageCount,
      pages,
      pagesPerSecond: (pages * 1000) / elapsedMs,
      newPages,
      repeatedPages,
      heat,
      migration: null,
      accumulated: this.#tracker.accumulated(),
    };
  }

  /** Reads the log at the given time, or at once if that has passed. Returns how long reading took, milliseconds. */
  async #lookAt(timeMs: number): Promise<number | null> {
    if (this.#source.pace === 'recorded') {
      const collected = await this.#collect();
      this.#lookedMs = timeMs;
      return collected ? 0 : null;
    }
    const waitMs = timeMs - this.#clock.now();
    if (waitMs > 0) await this.#clock.sleep(waitMs, this.#signal);
    return this.#look();
  }

  async #look(): Promise<number | null> {
    const before = this.#clock.now();
    const collected = await this.#collect();
    const after = this.#clock.now();
    // The log is cleared at some moment of the call: the middle is wrong by half of it at most.
    this.#lookedMs = (before + after) / 2;
    return collected ? after - before : null;
  }

  async #collect(): Promise<boolean> {
    this.#tracker.grow(this.#source.pageCount);
    return (await this.#source.collect(this.#tracker.landing, this.#signal)) !== null;
  }
}

async function* watchRate(source: RateSource, options: MeasureOptions): AsyncGenerator<DirtySample, void> {
  const { samples = Infinity, signal } = options;
  const windowMs = Math.max(1, Math.round(options.intervalMs / source.windowStepMs)) * source.windowStepMs;
  const means = new WindowMeans();
  let elapsedMs = 0;
  for (let index = 0; index < samples && !signal?.aborted; index++) {
    if (index > 0 && index === samples - 1) await measureLonger(source, windowMs, means, signal);
    const reading = await source.measure(windowMs, signal);
    if (reading === null) return;
    means.add(0, reading.pages, reading.elapsedMs);
    elapsedMs += reading.elapsedMs;
    const accumulated = { samples: index + 1, elapsedMs, windows: means.points(), sets: null };
    yield rateSample(source, index, windowMs, reading, accumulated);
  }
}

async function measureLonger(source: RateSource, windowMs: number, means: WindowMeans, signal?: AbortSignal) {
  for (const doublings of LONGER_WINDOW_DOUBLINGS) {
    if (windowMs * 2 ** doublings > MAXIMUM_INTERVAL_MS) return;
    const reading = await source.measure(windowMs * 2 ** doublings, signal);
    // A migration's counters say what was dirtied between two of its passes, however long one waits.
    if (reading === null || reading.migration) return;
    means.add(doublings, reading.pages, reading.elapsedMs);
  }
}

function rateSample(
  source: RateSource,
  index: number,
  windowMs: number,
  { pages, elapsedMs, migration }: RateReading,
  accumulated: Accumulated,
): DirtySample {
  return {
    index,
    endMs: accumulated.elapsedMs,
    elapsedMs,
    overrunMs: Math.max(0, elapsedMs - windowMs),
    scanMs: 0,
    pageCount: source.pageCount,
    pages,
    pagesPerSecond: (pages * 1000) / elapsedMs,
    newPages: null,
    repeatedPages: null,
    heat: null,
    migration: migration ?? null,
    accumulated,
  };
}

const runningClock: MeasureClock = { now: () => performance.now(), sleep };
