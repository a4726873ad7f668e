import type { Worker } from 'node:worker_threads';
import { BitmapCore, DirtyBitmap } from '../src/index.js';

/** A generator of 32-bit numbers that a seed repeats (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export interface Filling {
  readonly pageCount: number;
  /** Share of the pages that is dirty, 0 … 1. */
  readonly density: number;
  /** Pages of a run, on the average; 1: each page for itself. */
  readonly runPages: number;
  readonly seed: number;
  readonly baseFrame?: number;
}

export function sharedCore(maximumBytes = 256 * 2 ** 20): BitmapCore {
  return new BitmapCore({ shared: true, maximumBytes });
}

export function filled(core: BitmapCore, filling: Filling): DirtyBitmap {
  const { pageCount, baseFrame = 0 } = filling;
  const bitmap = DirtyBitmap.allocate(core, pageCount, { baseFrame });
  fill(bitmap, filling);
  return bitmap;
}

/** Runs of random length at random distances; whatever the bitmap held before is gone. */
export function fill(bitmap: DirtyBitmap, { density, runPages, seed }: Filling): void {
  bitmap.clear();
  if (density === 0) return;
  if (density === 1) return bitmap.set();
  const next = randomNumbers(seed);
  const around = (mean: number): number => 1 + Math.floor((next() / 2 ** 32) * (2 * mean - 1));
  const gapPages = Math.max(1, (runPages * (1 - density)) / density);
  const bytes = bitmap.bytes;
  for (let page = around(gapPages) - 1; page < bitmap.pageCount;) {
    const end = Math.min(page + around(runPages), bitmap.pageCount);
    // Long runs by whole bytes; one kernel call for each bit would take longer than the test.
    for (; page < end; page++) {
      if (page % 8 === 0 && page + 8 <= end) {
        bytes[page / 8] = 0xff;
        page += 7;
      } else bytes[page >>> 3] = (bytes[page >>> 3] ?? 0) | (1 << (page & 7));
    }
    page += around(gapPages);
  }
}

/** What is said twice must be the same: a hash of a stream of numbers that does not depend on how it is cut. */
export class StreamHash {
  count = 0;
  #hash = 0x811c_9dc5;

  add(numbers: Uint32Array): this {
    let hash = this.#hash;
    for (const number of numbers) hash = Math.imul(hash ^ number, 0x0100_0193) ^ (hash >>> 15);
    this.#hash = hash;
    this.count += numbers.length;
    return this;
  }

  toString(): string {
    return `${this.count} numbers, ${(this.#hash >>> 0).toString(16)}`;
  }
}

export function framesOf(bitmap: DirtyBitmap, startFrame = bitmap.baseFrame, endFrame = bitmap.endFrame): string {
  const hash = new StreamHash();
  for (let from = startFrame; from < endFrame;) {
    const { pages, nextFrame } = bitmap.extract(from, endFrame);
    hash.add(pages);
    from = nextFrame;
  }
  return hash.toString();
}

export function runsOf(bitmap: DirtyBitmap, startFrame = bitmap.baseFrame, endFrame = bitmap.endFrame): string {
  const hash = new StreamHash();
  for (let from = startFrame; from < endFrame;) {
    const { pairs, nextFrame } = bitmap.runs(from, endFrame);
    hash.add(pairs);
    from = nextFrame;
  }
  return hash.toString();
}

/** Hashes the pooled stream as it comes. */
export async function hashOf<Batch>(
  batches: AsyncIterable<Batch>,
  numbers: (batch: Batch) => Uint32Array,
): Promise<string> {
  const hash = new StreamHash();
  for await (const batch of batches) hash.add(numbers(batch));
  return hash.toString();
}

/** The threads that this process starts from now on. */
export function watchThreads() {
  const all = new Set<Worker>();
  let started = 0;
  const onWorker = (worker: Worker): void => {
    started++;
    all.add(worker);
    worker.once('exit', () => all.delete(worker));
  };
  process.on('worker', onWorker);
  return {
    alive: () => [...all],
    started: () => started,
    stop: () => void process.off('worker', onWorker),
  };
}
