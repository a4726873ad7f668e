import { BITMAP_WORKSPACE_BYTES, BitmapCore, DirtyBitmap } from '@xenpt/core-wasm';
import { DirtyRateError, DirtyRateErrorCode } from './errors.js';
import type { WindowPoint } from './growth.js';
import type { Accumulated, Heat } from './sample.js';
import { WindowMeans } from './windows.js';

/** Windows of up to 2^5 intervals are looked at one by one; beyond there is the union of all. */
const MAXIMUM_LEVELS = 5;
const MAXIMUM_PREFIXES = 32;
/** So that a heat map of any guest is at most 64 KiB a sample. */
const MAXIMUM_REGIONS = 16_384;
const WASM_MEMORY_LIMIT = 2 ** 32 - 2 ** 16;

/** What one sample adds. */
export interface TrackedSample {
  readonly pages: number;
  readonly newPages: number;
  readonly repeatedPages: number | null;
  readonly heat: Heat;
}

interface Maps {
  /** Where the source writes; clean between two windows. */
  readonly landing: DirtyBitmap;
  readonly sample: DirtyBitmap;
  readonly previous: DirtyBitmap;
  readonly once: DirtyBitmap;
  readonly twice: DirtyBitmap;
  readonly thrice: DirtyBitmap;
  readonly always: DirtyBitmap;
  readonly scratch: DirtyBitmap;
  /** levels[k]: union of the first 2^k samples of a window of 2^(k + 1), or free. */
  readonly levels: readonly DirtyBitmap[];
}

/**
 * Counts what a sequence of dirty bitmaps has in common: pages seen once, twice, always, and how many different pages
 * windows of doubling length contain. Its memory is a fixed number of bitmaps, however many samples there are.
 */
export class DirtyTracker {
  readonly regionPages: number;
  readonly #windows = new WindowMeans();
  readonly #levelCount: number;
  readonly #levelMs: (number | undefined)[] = [];
  #maps: Maps;
  #samples = 0;
  #elapsedMs = 0;
  #samplePages = 0;
  #sampleMs = 0;
  #previousPages: number | null = null;
  #always = 0;
  #seen = { once: 0, twice: 0, thrice: 0 };
  /** Windows from the first sample on, of lengths that are not doublings. */
  readonly #prefixes: WindowPoint[] = [];

  /**
   * @param pageCount pages of the map
   * @param samples how many will come; more are fine
   * @throws DirtyRateError DIRTY_RATE_TOO_LARGE
   */
  constructor(pageCount: number, samples = Infinity) {
    this.#levelCount = Math.min(MAXIMUM_LEVELS, Math.floor(Math.log2(Math.max(1, samples))));
    this.regionPages = 2 ** Math.max(0, Math.ceil(Math.log2(pageCount / MAXIMUM_REGIONS)));
    this.#maps = allocateMaps(pageCount, this.#levelCount);
  }

  get pageCount(): number {
    return this.#maps.landing.pageCount;
  }

  /** Where the next window has to be written. Take it anew for each. */
  get landing(): Uint8Array {
    return this.#maps.landing.bytes;
  }

  /** Makes room for a guest that got more memory; what is known stays. */
  grow(pageCount: number): void {
    if (pageCount <= this.pageCount) return;
    const old = this.#maps;
    const maps = allocateMaps(pageCount, this.#levelCount);
    for (const [from, to] of pairs(old, maps)) to.bytes.set(from.bytes);
    this.#maps = maps;
  }

  /**
   * A window has been written to `landing`: the whole sample or a part of it.
   *
   * @param doublings its length is the interval times two to this power
   * @param prefixDoublings the same for the sample's windows so far, together; undefined for the first
   */
  addWindow(elapsedMs: number, doublings: number, prefixDoublings: number | undefined): void {
    const { landing, sample } = this.#maps;
    this.#windows.add(doublings, landing.count(), elapsedMs);
    this.#samplePages += landing.harvest(sample);
    this.#sampleMs += elapsedMs;
    if (prefixDoublings !== undefined) this.#windows.add(prefixDoublings, this.#samplePages, this.#sampleMs);
  }

  /** The windows since the last call were one sample. */
  finishSample(): TrackedSample {
    const { sample, previous, scratch } = this.#maps;
    const pages = this.#samplePages;
    const heat = { regionPages: this.regionPages, counts: Uint32Array.from(sample.histogramAll(this.regionPages)) };
    const newPages = this.#noteIncidence(pages);
    const repeatedPages = this.#previousPages === null ? null : pages - differenceCount(sample, previous, scratch);
    this.#noteLongWindows();
    copy(sample, previous);
    sample.clear();
    this.#previousPages = pages;
    this.#elapsedMs += this.#sampleMs;
    this.#samplePages = 0;
    this.#sampleMs = 0;
    if (this.#samples <= MAXIMUM_PREFIXES && !Number.isInteger(Math.log2(this.#samples))) {
      this.#prefixes.push({ windowMs: this.#elapsedMs, pages: this.#seen.once, count: 1 });
    }
    return { pages, newPages, repeatedPages, heat };
  }

  accumulated(): Accumulated {
    const windows = [...this.#windows.points(), ...this.#prefixes];
    if (windows.every(({ windowMs }) => windowMs < this.#elapsedMs * 0.999)) {
      windows.push({ windowMs: this.#elapsedMs, pages: this.#seen.once, count: 1 });
    }
    windows.sort((a, b) => a.windowMs - b.windowMs);
    return {
      samples: this.#samples,
      elapsedMs: this.#elapsedMs,
      windows,
      sets: { ...this.#seen, always: this.#always },
    };
  }

  /** Returns how many pages of the sample were never seen before. */
  #noteIncidence(pages: number): number {
    const { landing, sample, once, twice, thrice, always, scratch } = this.#maps;
    // thrice |= sample & twice, twice |= sample & once, once |= sample. a & b is a without what a has beyond b.
    for (const [from, to] of [
      [twice, thrice],
      [once, twice],
    ] as const) {
      copy(sample, scratch);
      scratch.andNot(from);
      copy(sample, landing);
      landing.andNot(scratch);
      landing.harvest(to);
    }
    const newPages = differenceCount(sample, once, scratch);
    once.or(sample);
    if (this.#samples === 0) copy(sample, always);
    copy(always, scratch);
    scratch.andNot(sample);
    always.andNot(scratch);
    this.#samples += 1;
    this.#always = this.#samples === 1 ? pages : always.count();
    this.#seen = { once: this.#seen.once + newPages, twice: twice.count(), thrice: thrice.count() };
    return newPages;
  }

  /** Windows of two, four … samples that follow one another, by carrying as a binary counter does. */
  #noteLongWindows(): void {
    const { levels, sample } = this.#maps;
    let carry = sample;
    let carryMs = this.#sampleMs;
    for (const [level, map] of levels.entries()) {
      const waitingMs = this.#levelMs[level];
      if (waitingMs === undefined) {
        copy(carry, map);
        if (carry !== sample) carry.clear();
        this.#levelMs[level] = carryMs;
        return;
      }
      map.or(carry);
      if (carry !== sample) carry.clear();
      carryMs += waitingMs;
      this.#levelMs[level] = undefined;
      this.#windows.add(level + 1, map.count(), carryMs);
      carry = map;
    }
    if (carry !== sample) carry.clear();
  }
}

function allocateMaps(pageCount: number, levelCount: number): Maps {
  const sizeBytes = Math.ceil(Math.ceil(pageCount / 64) / 8) * 64;
  const maximumBytes = BITMAP_WORKSPACE_BYTES + (8 + levelCount) * sizeBytes + 2 ** 16;
  if (maximumBytes > WASM_MEMORY_LIMIT) {
    throw new DirtyRateError(
      DirtyRateErrorCode.tooLarge,
      `A map of ${pageCount} pages needs ${maximumBytes} bytes to be compared, of at most ${WASM_MEMORY_LIMIT}.`,
      { next: 'Take fewer samples, or measure a smaller part of the guest.' },
    );
  }
  const core = new BitmapCore({ maximumBytes: Math.ceil(maximumBytes / 2 ** 16) * 2 ** 16 });
  const allocate = () => DirtyBitmap.allocate(core, pageCount);
  return {
    landing: allocate(),
    sample: allocate(),
    previous: allocate(),
    once: allocate(),
    twice: allocate(),
    thrice: allocate(),
    always: allocate(),
    scratch: allocate(),
    levels: Array.from({ length: levelCount }, allocate),
  };
}

function pairs(from: Maps, to: Maps): (readonly [DirtyBitmap, DirtyBitmap])[] {
  const flat = ({ levels, ...named }: Maps) => [...Object.values(named), ...levels] as DirtyBitmap[];
  const targets = flat(to);
  return flat(from).flatMap((map, index) => {
    const target = targets[index];
    return target ? [[map, target] as const] : [];
  });
}

function copy(from: DirtyBitmap, to: DirtyBitmap): void {
  to.clear();
  to.or(from);
}

/** Pages of `a` that are not in `b`. */
function differenceCount(a: DirtyBitmap, b: DirtyBitmap, scratch: DirtyBitmap): number {
  copy(a, scratch);
  scratch.andNot(b);
  return scratch.count();
}
