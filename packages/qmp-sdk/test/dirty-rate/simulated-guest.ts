import type { BitmapSource, DirtyProfile, MeasureClock, PrecopyPolicyName } from '../../src/dirty-rate/index.js';

/** Writes to `pages` pages from `first` on: one after the other, round and round, or anywhere at random. */
export interface Writer {
  readonly order: 'cyclic' | 'random';
  readonly first: number;
  readonly pages: number;
  readonly writesPerSecond: number;
}

/** A guest whose memory is written by rules, and a clock that only it moves: the same seed writes the same pages. */
export class SimulatedGuest implements MeasureClock {
  readonly pageCount: number;
  readonly dirty = new Set<number>();
  readonly #writers: readonly Writer[];
  readonly #progress: number[];
  #state: number;
  #nowMs = 0;

  constructor(pageCount: number, writers: readonly Writer[], seed = 1) {
    this.pageCount = pageCount;
    this.#writers = writers;
    this.#progress = writers.map(() => 0);
    this.#state = seed;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number): Promise<void> {
    this.run(durationMs);
    return Promise.resolve();
  }

  run(durationMs: number): void {
    this.#nowMs += durationMs;
    for (const [index, { order, first, pages, writesPerSecond }] of this.#writers.entries()) {
      const before = this.#progress[index] ?? 0;
      const after = before + (writesPerSecond * durationMs) / 1000;
      this.#progress[index] = after;
      for (let write = Math.floor(before); write < Math.floor(after); write++) {
        this.dirty.add(first + (order === 'cyclic' ? write % pages : Math.floor(this.#random() * pages)));
      }
    }
  }

  takeDirty(): Set<number> {
    const taken = new Set(this.dirty);
    this.dirty.clear();
    return taken;
  }

  /** As a log of dirty pages; reading it takes `scanMs` of the guest's time. */
  source(scanMs = 0): BitmapSource & { closed: boolean } {
    return {
      kind: 'bitmap',
      pace: 'live',
      description: 'a simulated guest',
      pageSizeBytes: 4096,
      memoryPages: null,
      pageCount: this.pageCount,
      closed: false,
      collect: (into) => {
        this.run(scanMs / 2);
        for (const page of this.takeDirty()) into[page >> 3] = (into[page >> 3] ?? 0) | (1 << (page & 7));
        this.run(scanMs / 2);
        return Promise.resolve({ pageCount: this.pageCount });
      },
      close() {
        this.closed = true;
        return Promise.resolve();
      },
    };
  }

  /** Mulberry32. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

export interface Migration {
  readonly roundPages: readonly number[];
  readonly bytes: number;
  readonly elapsedMs: number;
  /** Null: given up, it would never end. */
  readonly pauseMs: number | null;
}

/** Migrates a simulated guest, page by page written, by the rules of Xen's and QEMU's senders in plain words. */
export function migrate(
  guest: SimulatedGuest,
  policy: Exclude<PrecopyPolicyName, 'xen-save'>,
  bytesPerSecond: number,
  downtimeMs: number,
): Migration {
  const pageBytes = policy === 'xen' ? 4096 + 8 + 16 / 1024 : 4096 + 8;
  const pagesPerMs = bytesPerSecond / pageBytes / 1000;
  guest.takeDirty();
  const roundPages = policy === 'xen' ? migrateXen(guest, pagesPerMs) : migrateQemu(guest, pagesPerMs, downtimeMs);
  const pages = roundPages.reduce((sum, count) => sum + count, 0);
  const paused = roundPages.length > MOST_ROUNDS ? undefined : roundPages.at(-1);
  return {
    roundPages,
    bytes: pages * pageBytes,
    elapsedMs: pages / pagesPerMs,
    pauseMs: paused === undefined ? null : paused / pagesPerMs,
  };
}

const MOST_ROUNDS = 500;

/** Pages of each round, the last in the pause. */
function migrateXen(guest: SimulatedGuest, pagesPerMs: number): number[] {
  const rounds: number[] = [];
  let left = guest.pageCount;
  for (let round = 1; ; round++) {
    rounds.push(left);
    guest.run(left / pagesPerMs);
    const few = left < 50;
    left = guest.takeDirty().size;
    if (few || round === 5) return [...rounds, left];
  }
}

/**
 * By address, on and on from where it is; after each 50 ms it looks whether what it knows of would fit into the pause,
 * and only then reads the log. One round too many: it would never end.
 */
function migrateQemu(guest: SimulatedGuest, pagesPerMs: number, downtimeMs: number): number[] {
  const pending = new Uint8Array(guest.pageCount).fill(1);
  const rounds: number[] = [];
  let left = guest.pageCount;
  let cursor = 0;
  while (left > downtimeMs * pagesPerMs && rounds.length < MOST_ROUNDS) {
    let sent = 0;
    while (left > 0 && (sent === 0 || left > downtimeMs * pagesPerMs)) {
      const step = Math.min(left, Math.max(1, Math.round(50 * pagesPerMs)));
      for (let count = 0; count < step; cursor = (cursor + 1) % guest.pageCount) {
        count += pending[cursor] ?? 0;
        pending[cursor] = 0;
      }
      left -= step;
      sent += step;
      guest.run(step / pagesPerMs);
    }
    rounds.push(sent);
    for (const page of guest.takeDirty()) pending[page] = 1;
    left = pending.reduce((sum, bit) => sum + bit, 0);
  }
  return [...rounds, left];
}

/** What an endless measurement of a random writer would say: n pages, w writes a second see n(1 - exp(-wt/n)). */
export function idealProfile(memoryPages: number, pages: number, writesPerSecond: number): DirtyProfile {
  const windows = [62.5, 125, 250, 500, 1000, 2000, 4000, 8000].map((windowMs) => ({
    windowMs,
    pages: pages * -Math.expm1((-writesPerSecond * windowMs) / 1000 / pages),
    count: 1,
  }));
  return { windows, incidence: null, memoryPages, holePages: 0, pageSizeBytes: 4096 };
}
