import type { BitmapCore } from './bitmap-core.js';
import {
  MAXIMUM_PAGE_COUNT,
  bitmapBytes,
  requireBitmapPlace,
  requireRange,
  requireRegionPages,
  requireSibling,
} from './bitmap-arguments.js';
import type { BitmapKernels } from './bitmap-kernels.js';
import type { Address } from './kernels.js';
import { requireInteger } from './u32.js';

export interface DirtyBitmapOptions {
  /** The frame that bit 0 stands for: 0 … 2^53 - 1 - pageCount. Default 0. */
  readonly baseFrame?: number;
}

/** The frames `start` … `start + length - 1`; the frames on both sides are clean or outside the range asked for. */
export interface FrameRun {
  readonly start: number;
  readonly length: number;
}

/** Dirty frames. `pages` is a view of linear memory: it is overwritten by the next batch call on the same core. */
export interface FrameBatch {
  /** Frame numbers minus `baseFrame`, ascending; at most 65,536. */
  readonly pages: Uint32Array;
  readonly baseFrame: number;
  /** The `startFrame` to go on from. The `endFrame` that was asked for: there is nothing more. */
  readonly nextFrame: number;
}

/** Runs of dirty frames. `pairs` is a view of linear memory: it is overwritten by the next batch call on the core. */
export interface RunBatch {
  /** Start minus `baseFrame`, length in pages, start minus `baseFrame`, length, …; at most 32,768 runs, none split. */
  readonly pairs: Uint32Array;
  readonly runCount: number;
  readonly baseFrame: number;
  /** The `startFrame` to go on from. The `endFrame` that was asked for: there is nothing more. */
  readonly nextFrame: number;
}

/** Dirty pages per region. `counts` is a view of linear memory: the next batch call on the core overwrites it. */
export interface HistogramBatch {
  /** At most 65,536 regions. The first and the last count what lies in the range asked for. */
  readonly counts: Uint32Array;
  /** Of counts[0]. Region i starts at frame `baseFrame + i * regionPages`. */
  readonly firstRegion: number;
  readonly regionPages: number;
  /** The `startFrame` to go on from. The `endFrame` that was asked for: there is nothing more. */
  readonly nextFrame: number;
}

/**
 * One bit for each page, least significant first, in linear memory; it has no state but its place.
 *
 * Frames are absolute: bit n stands for frame `baseFrame + n`. Every range is `[startFrame, endFrame)`, of any
 * alignment; left out it is the whole bitmap. The up to 63 bits between the last page and the end of its 64-bit word
 * are neither looked at nor changed. Ranges throw a CoreTypeError or CoreRangeError when they are not inside.
 */
export class DirtyBitmap implements Iterable<FrameRun> {
  readonly core: BitmapCore;
  readonly address: Address;
  /** 1 … 2^32 - 1: just under 16 TiB of 4 KiB pages. What is larger takes several bitmaps. */
  readonly pageCount: number;
  readonly baseFrame: number;
  /** `baseFrame + pageCount` */
  readonly endFrame: number;
  /** Whole 64-bit words, in bytes. */
  readonly sizeBytes: number;
  readonly #kernels: BitmapKernels;

  /**
   * A bitmap over storage that is there; the bits stay as they are.
   *
   * @param address a multiple of 8; `8 * ceil(pageCount / 64)` bytes from there lie inside the memory
   * @throws {CoreTypeError | CoreRangeError} they do not, or `pageCount` or `baseFrame` is out of range
   */
  constructor(core: BitmapCore, address: Address, pageCount: number, options: DirtyBitmapOptions = {}) {
    const baseFrame = options.baseFrame ?? 0;
    requireBitmapPlace(core, address, pageCount, baseFrame);
    this.core = core;
    this.address = address;
    this.pageCount = pageCount;
    this.baseFrame = baseFrame;
    this.endFrame = baseFrame + pageCount;
    this.sizeBytes = bitmapBytes(pageCount);
    this.#kernels = core.kernels;
  }

  /**
   * New and clean.
   *
   * @throws {CoreTypeError | CoreRangeError} `pageCount` or `baseFrame` is out of range
   * @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no storage left
   */
  static allocate(core: BitmapCore, pageCount: number, options: DirtyBitmapOptions = {}): DirtyBitmap {
    requireInteger('pageCount', pageCount, 1, MAXIMUM_PAGE_COUNT);
    const bitmap = new DirtyBitmap(core, core.allocate(bitmapBytes(pageCount)), pageCount, options);
    bitmap.clear();
    return bitmap;
  }

  /**
   * New, with a copy of `bytes`; bit 0 of byte 0 is the first page.
   *
   * @param options `pageCount`: at most and by default `8 * bytes.length`
   * @throws as `allocate`
   */
  static fromBytes(
    core: BitmapCore,
    bytes: Uint8Array,
    options: DirtyBitmapOptions & { readonly pageCount?: number } = {},
  ): DirtyBitmap {
    const pageCount = options.pageCount ?? 8 * bytes.length;
    requireInteger('pageCount', pageCount, 1, Math.min(8 * bytes.length, MAXIMUM_PAGE_COUNT));
    const bitmap = DirtyBitmap.allocate(core, pageCount, options);
    bitmap.bytes.set(bytes.subarray(0, Math.ceil(pageCount / 8)));
    return bitmap;
  }

  /** The storage, to read a file into without a copy. Take it again after the memory may have grown. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.core.memory.buffer, this.address, this.sizeBytes);
  }

  /** @throws {CoreTypeError | CoreRangeError} `frame` is not in the bitmap */
  has(frame: number): boolean {
    requireInteger('frame', frame, this.baseFrame, this.endFrame - 1);
    const page = frame - this.baseFrame;
    return this.#kernels.bitmapAny(this.address, page, page + 1) !== 0;
  }

  /** Whether one page at least is dirty. */
  any(startFrame = this.baseFrame, endFrame = this.endFrame): boolean {
    requireRange(this, startFrame, endFrame);
    return this.#kernels.bitmapAny(this.address, startFrame - this.baseFrame, endFrame - this.baseFrame) !== 0;
  }

  /** Dirty pages. */
  count(startFrame = this.baseFrame, endFrame = this.endFrame): number {
    requireRange(this, startFrame, endFrame);
    return this.#kernels.bitmapCount(this.address, startFrame - this.baseFrame, endFrame - this.baseFrame) >>> 0;
  }

  /** The dirty frames, as many as fit; go on at `nextFrame` until it is `endFrame`. */
  extract(startFrame = this.baseFrame, endFrame = this.endFrame): FrameBatch {
    requireRange(this, startFrame, endFrame);
    const { core, baseFrame } = this;
    const [start, end] = [startFrame - baseFrame, endFrame - baseFrame];
    const count = this.#kernels.bitmapExtract(core.workspaceAddress, this.address, start, end);
    return { pages: this.#batch(count), baseFrame, nextFrame: this.#nextFrame() };
  }

  /** The runs of dirty frames, as many as fit; go on at `nextFrame` until it is `endFrame`. */
  runs(startFrame = this.baseFrame, endFrame = this.endFrame): RunBatch {
    requireRange(this, startFrame, endFrame);
    const { core, baseFrame } = this;
    const [start, end] = [startFrame - baseFrame, endFrame - baseFrame];
    const runCount = this.#kernels.bitmapRuns(core.workspaceAddress, this.address, start, end);
    return { pairs: this.#batch(2 * runCount), runCount, baseFrame, nextFrame: this.#nextFrame() };
  }

  /**
   * Dirty pages in each region of `regionPages`, for as many regions as fit; go on at `nextFrame`.
   *
   * @param regionPages a power of two, 1 … 2^31
   */
  histogram(regionPages: number, startFrame = this.baseFrame, endFrame = this.endFrame): HistogramBatch {
    const shift = requireRegionPages(regionPages);
    requireRange(this, startFrame, endFrame);
    const { core, baseFrame } = this;
    const [start, end] = [startFrame - baseFrame, endFrame - baseFrame];
    const regionCount = this.#kernels.bitmapHistogram(core.workspaceAddress, this.address, start, end, shift);
    const firstRegion = Math.floor(start / regionPages);
    return { counts: this.#batch(regionCount), firstRegion, regionPages, nextFrame: this.#nextFrame() };
  }

  /**
   * `histogram` of the whole bitmap in an array of its own: `ceil(pageCount / regionPages)` numbers.
   *
   * @param regionPages a power of two, 1 … 2^31
   */
  histogramAll(regionPages: number): Uint32Array {
    requireRegionPages(regionPages);
    const all = new Uint32Array(Math.ceil(this.pageCount / regionPages));
    for (let from = this.baseFrame; from < this.endFrame;) {
      const { counts, firstRegion, nextFrame } = this.histogram(regionPages, from);
      all.set(counts, firstRegion);
      from = nextFrame;
    }
    return all;
  }

  /** Marks pages as dirty. */
  set(startFrame = this.baseFrame, endFrame = this.endFrame): void {
    requireRange(this, startFrame, endFrame);
    this.#kernels.bitmapSet(this.address, startFrame - this.baseFrame, endFrame - this.baseFrame);
  }

  /** Marks pages as clean. */
  clear(startFrame = this.baseFrame, endFrame = this.endFrame): void {
    requireRange(this, startFrame, endFrame);
    this.#kernels.bitmapClear(this.address, startFrame - this.baseFrame, endFrame - this.baseFrame);
  }

  /** `this |= other`. @throws {CoreTypeError} `other` has another memory, pageCount or baseFrame */
  or(other: DirtyBitmap, startFrame = this.baseFrame, endFrame = this.endFrame): void {
    requireSibling(this, 'other', other);
    requireRange(this, startFrame, endFrame);
    const { address, baseFrame } = this;
    this.#kernels.bitmapOr(address, other.address, startFrame - baseFrame, endFrame - baseFrame);
  }

  /** `this &= ~other`. @throws {CoreTypeError} `other` has another memory, pageCount or baseFrame */
  andNot(other: DirtyBitmap, startFrame = this.baseFrame, endFrame = this.endFrame): void {
    requireSibling(this, 'other', other);
    requireRange(this, startFrame, endFrame);
    const { address, baseFrame } = this;
    this.#kernels.bitmapAndNot(address, other.address, startFrame - baseFrame, endFrame - baseFrame);
  }

  /**
   * `into |= this`, then `this = 0`. Nobody else may write either meanwhile.
   *
   * @returns pages that are dirty in `into` now and were not before
   * @throws {CoreTypeError} `into` has another memory, pageCount or baseFrame
   */
  harvest(into: DirtyBitmap, startFrame = this.baseFrame, endFrame = this.endFrame): number {
    requireSibling(this, 'into', into);
    requireRange(this, startFrame, endFrame);
    const { address, baseFrame } = this;
    return this.#kernels.bitmapHarvest(address, into.address, startFrame - baseFrame, endFrame - baseFrame) >>> 0;
  }

  /**
   * `harvest` while other threads go on setting bits of `this` by atomic OR: each bit is either taken or still there
   * afterwards. `into` is this thread's alone. Memory that is not shared has no other thread: there it is `harvest`.
   *
   * @returns pages that are dirty in `into` now and were not before
   * @throws {CoreTypeError} `into` has another memory, pageCount or baseFrame
   */
  harvestAtomic(into: DirtyBitmap, startFrame = this.baseFrame, endFrame = this.endFrame): number {
    requireSibling(this, 'into', into);
    requireRange(this, startFrame, endFrame);
    const { address, baseFrame } = this;
    const [start, end] = [startFrame - baseFrame, endFrame - baseFrame];
    return this.#kernels.bitmapHarvestAtomic(address, into.address, start, end) >>> 0;
  }

  /** Comfortable and slow, one object for each run. The loop may make other batch calls and clear what it has seen. */
  *[Symbol.iterator](): IterableIterator<FrameRun> {
    for (let from = this.baseFrame; from < this.endFrame;) {
      const { pairs, nextFrame } = this.runs(from);
      const kept = pairs.slice();
      for (let index = 0; index < kept.length; index += 2) {
        yield { start: this.baseFrame + (kept[index] ?? 0), length: kept[index + 1] ?? 0 };
      }
      from = nextFrame;
    }
  }

  /** The dirty frames one by one: comfortable and slow. The loop may make other batch calls. */
  *frames(startFrame = this.baseFrame, endFrame = this.endFrame): IterableIterator<number> {
    for (let from = startFrame; from < endFrame;) {
      const { pages, nextFrame } = this.extract(from, endFrame);
      for (const page of pages.slice()) yield this.baseFrame + page;
      from = nextFrame;
    }
  }

  #batch(length: number): Uint32Array {
    return new Uint32Array(this.core.memory.buffer, this.core.batchAddress, length);
  }

  #nextFrame(): number {
    return this.baseFrame + (this.#kernels.bitmapNextPage(this.core.workspaceAddress) >>> 0);
  }
}
