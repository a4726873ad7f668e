import { BitmapCore, DirtyBitmap, type CoreBuild } from '../src/index.js';

/** Every module the package holds, over both kinds of memory: 8 ways to the same answers. */
export interface Variant {
  readonly build: CoreBuild;
  readonly simd: boolean;
  readonly shared: boolean;
}

export const variants: readonly Variant[] = (['release', 'debug'] as const).flatMap((build) =>
  [true, false].flatMap((simd) => [true, false].map((shared) => ({ build, simd, shared }))),
);

/** What a bitmap should hold: the dirty pages, numbered from 0, in a Set. Slow and obvious. */
export class Model {
  readonly pages: Set<number>;

  constructor(pages: Iterable<number> = []) {
    this.pages = new Set(pages);
  }

  within(start: number, end: number): number[] {
    const inside = [...this.pages].filter((page) => page >= start && page < end);
    return [...Float64Array.from(inside).sort()];
  }

  runs(start: number, end: number): { start: number; length: number }[] {
    const runs: { start: number; length: number }[] = [];
    for (const page of this.within(start, end)) {
      const last = runs.at(-1);
      if (last !== undefined && last.start + last.length === page) last.length++;
      else runs.push({ start: page, length: 1 });
    }
    return runs;
  }

  /** One number for each region that the range touches. */
  histogram(regionPages: number, start: number, end: number): number[] {
    if (start === end) return [];
    const first = Math.floor(start / regionPages);
    const counts = new Array<number>(Math.floor((end - 1) / regionPages) - first + 1).fill(0);
    for (const page of this.within(start, end)) {
      const region = Math.floor(page / regionPages) - first;
      counts[region] = (counts[region] ?? 0) + 1;
    }
    return counts;
  }

  add(pages: Iterable<number>): number {
    const before = this.pages.size;
    for (const page of pages) this.pages.add(page);
    return this.pages.size - before;
  }

  remove(pages: Iterable<number>): void {
    for (const page of pages) this.pages.delete(page);
  }
}

/** A bitmap between guards, with its padding bits and everything around it set, so that a stray write shows. */
export class Guarded {
  readonly bitmap: DirtyBitmap;
  readonly model: Model;
  readonly #before: Uint8Array;
  readonly #guardBytes = 256;

  constructor(core: BitmapCore, pageCount: number, pages: Iterable<number>, baseFrame = 0) {
    const storage = core.allocate(8 * Math.ceil(pageCount / 64) + 2 * this.#guardBytes);
    this.bitmap = new DirtyBitmap(core, storage + this.#guardBytes, pageCount, { baseFrame });
    this.model = new Model(pages);
    this.#everything().fill(0xff);
    this.bitmap.bytes.fill(0, 0, Math.floor(pageCount / 8));
    const { bytes } = this.bitmap;
    for (let page = pageCount - (pageCount % 8); page < pageCount; page++) flip(bytes, page);
    for (const page of this.model.pages) flip(bytes, page);
    this.#before = this.#everything().slice();
  }

  /** The dirty pages as they lie in memory, and whether a byte outside or a padding bit is another one than before. */
  state(): { pages: number[]; strayWrites: number } {
    const { bytes, pageCount } = this.bitmap;
    const pages: number[] = [];
    for (let page = 0; page < pageCount; page++) if (bit(bytes, page)) pages.push(page);
    const now = this.#everything();
    const inside = (index: number): boolean => index >= this.#guardBytes && index < now.length - this.#guardBytes;
    let strayWrites = 0;
    now.forEach((byte, index) => {
      if (!inside(index) && byte !== this.#before[index]) strayWrites++;
    });
    for (let page = pageCount; page < 8 * bytes.length; page++) if (!bit(bytes, page)) strayWrites++;
    return { pages, strayWrites };
  }

  #everything(): Uint8Array {
    const { core, address, sizeBytes } = this.bitmap;
    return new Uint8Array(core.memory.buffer, address - this.#guardBytes, sizeBytes + 2 * this.#guardBytes);
  }
}

function bit(bytes: Uint8Array, page: number): boolean {
  return (((bytes[page >>> 3] ?? 0) >>> (page & 7)) & 1) === 1;
}

export function flip(bytes: Uint8Array, page: number): void {
  bytes[page >>> 3] = (bytes[page >>> 3] ?? 0) ^ (1 << (page & 7));
}

/** Reproducible: the same seed, the same bits (xorshift32). */
export function randomSource(seed: number): () => number {
  let state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Dirty pages of a density, each by itself or in heaps of about 64. */
export function randomPages(pageCount: number, density: number, clustered: boolean, seed: number): number[] {
  const random = randomSource(seed);
  const pages: number[] = [];
  if (!clustered) {
    for (let page = 0; page < pageCount; page++) if (random() < density) pages.push(page);
    return pages;
  }
  const gap = density >= 1 ? 0 : (64 * (1 - density)) / Math.max(density, 1e-9);
  for (let page = Math.floor(random() * 2 * gap); page < pageCount;) {
    const length = 1 + Math.floor(random() * 127);
    for (let index = 0; index < length && page < pageCount; index++) pages.push(page++);
    page += 1 + Math.floor(random() * 2 * gap);
  }
  return pages;
}

/** Everything that a batch call gives, call after call until it is through. */
export function allPages(bitmap: DirtyBitmap, start = bitmap.baseFrame, end = bitmap.endFrame): number[] {
  const all: number[] = [];
  for (let from = start; from < end;) {
    const { pages, baseFrame, nextFrame } = bitmap.extract(from, end);
    for (const page of pages) all.push(baseFrame + page);
    if (nextFrame <= from) throw new Error(`no progress at ${from}`);
    from = nextFrame;
  }
  return all;
}

export function allRuns(
  bitmap: DirtyBitmap,
  start = bitmap.baseFrame,
  end = bitmap.endFrame,
): { start: number; length: number }[] {
  const all: { start: number; length: number }[] = [];
  for (let from = start; from < end;) {
    const { pairs, runCount, baseFrame, nextFrame } = bitmap.runs(from, end);
    for (let run = 0; run < runCount; run++) {
      all.push({ start: baseFrame + (pairs[2 * run] ?? -1), length: pairs[2 * run + 1] ?? -1 });
    }
    if (nextFrame <= from) throw new Error(`no progress at ${from}`);
    from = nextFrame;
  }
  return all;
}

export function allRegions(
  bitmap: DirtyBitmap,
  regionPages: number,
  start = bitmap.baseFrame,
  end = bitmap.endFrame,
): number[] {
  const all: number[] = [];
  for (let from = start; from < end;) {
    const { counts, nextFrame } = bitmap.histogram(regionPages, from, end);
    all.push(...counts);
    if (nextFrame <= from) throw new Error(`no progress at ${from}`);
    from = nextFrame;
  }
  return all;
}
