// The loops in which pages are scanned. The main thread and the workers run the same ones over the same control words.
import type { BitmapCore } from './bitmap-core.js';
import { DirtyBitmap } from './bitmap.js';
import type { Address } from './kernels.js';
import type { PageRange, ScanControl } from './worker-control.js';
import type { ScanTask } from './worker-order.js';

/**
 * 256 KiB of bitmap: 10 to 100 µs of work. Small enough that threads end together and notice a cancellation at once,
 * large enough that claiming it (0.2 µs) costs nothing; a power of two, so no 64-bit word belongs to two threads.
 */
export const CHUNK_PAGES = 2 ** 21;

/** 20 blocks of the kernels: three of them fit into one slot, however dense they are. */
export const UNIT_PAGES = 20 * 1024;

/** What a slot takes: u32. */
const SLOT_LENGTH = 65_536;

/** 0.75 MiB of bitmap: where next to nothing is dirty, one claim in 20 µs. */
const MAXIMUM_CLAIM_UNITS = 300;
const FIRST_CLAIM_UNITS = 9;

/** What a claim is to fill of its slot. What does not fit becomes a second batch, and each costs a microsecond. */
const AIMED_LENGTH = 0.94 * SLOT_LENGTH;

/** Scans one piece; what it returns is added to the result. */
export type ChunkScanner = (start: number, end: number) => number;

/** @returns the scanner of an operation that ends in one number or in counts */
export function chunkScanner(task: ScanTask, core: BitmapCore): ChunkScanner {
  const bitmap = new DirtyBitmap(core, task.address, task.pageCount);
  if (task.operation === 'count') return (start, end) => bitmap.count(start, end);
  if (task.operation === 'histogram') return histogramScanner(task, bitmap);
  const into = new DirtyBitmap(core, task.into, task.pageCount);
  if (task.operation === 'harvest') return (start, end) => bitmap.harvest(into, start, end);
  return (start, end) => bitmap.harvestAtomic(into, start, end);
}

function histogramScanner(task: ScanTask, bitmap: DirtyBitmap): ChunkScanner {
  const counts = new Uint32Array(task.counts ?? new SharedArrayBuffer(0));
  const { regionPages } = task;
  const firstRegion = Math.floor(task.pages.start / regionPages);
  if (regionPages > CHUNK_PAGES) {
    // Several chunks, and so several threads, share a region.
    return (start, end) => {
      Atomics.add(counts, Math.floor(start / regionPages) - firstRegion, bitmap.count(start, end));
      return 0;
    };
  }
  return (start, end) => {
    for (let from = start; from < end;) {
      const batch = bitmap.histogram(regionPages, from, end);
      counts.set(batch.counts, batch.firstRegion - firstRegion);
      from = batch.nextFrame;
    }
    return 0;
  };
}

/**
 * Claims and scans chunks.
 *
 * @param mayGoOn asked after each chunk
 * @returns true when there is nothing left to claim, false when it was told to stop or the scan is cancelled
 */
export function scanChunks(
  control: ScanControl,
  { pages, thread }: ScanTask,
  scan: ChunkScanner,
  mayGoOn: () => boolean,
): boolean {
  const firstChunk = Math.floor(pages.start / CHUNK_PAGES);
  const chunkCount = pages.start < pages.end ? Math.ceil(pages.end / CHUNK_PAGES) - firstChunk : 0;
  while (!control.cancelled) {
    const chunk = control.claimChunk(thread, chunkCount);
    if (chunk === undefined) return true;
    const start = Math.max(pages.start, (firstChunk + chunk) * CHUNK_PAGES);
    const end = Math.min(pages.end, (firstChunk + chunk + 1) * CHUNK_PAGES);
    control.addResult(scan(start, end));
    control.addScanned(thread, end - start);
    if (!mayGoOn()) return false;
  }
  return false;
}

/** Of a unit of a stream. All units but the first begin at a 64-bit word. */
export function firstPageOf(pages: PageRange, unit: number): number {
  const firstWord = Math.floor(pages.start / 64) * 64;
  return unit === 0 ? pages.start : firstWord + unit * UNIT_PAGES;
}

interface OutputSlot {
  readonly index: number;
  readonly core: BitmapCore;
}

/** One thread's part of a stream of batches: claims pages, fills its slots, and leaves them to the consumer. */
export class BatchProducer {
  readonly #control: ScanControl;
  readonly #address: Address;
  readonly #pages: PageRange;
  readonly #thread: number;
  readonly #slots: readonly OutputSlot[];
  readonly #runs: boolean;
  #claimUnits = FIRST_CLAIM_UNITS;

  /** @param cores one for each workspace of the task */
  constructor(task: ScanTask, control: ScanControl, cores: readonly BitmapCore[]) {
    // As every scan does, so that a place outside the memory is an error and not a trap.
    if (cores[0]) new DirtyBitmap(cores[0], task.address, task.pageCount);
    this.#control = control;
    this.#address = task.address;
    this.#pages = task.pages;
    this.#thread = task.thread;
    this.#runs = task.operation === 'runs';
    this.#slots = cores.map((core, index) => ({ index: task.firstSlot + index, core }));
  }

  /** One batch. `full`: the consumer has all slots; `exhausted`: there is nothing left to claim. */
  step(): 'exhausted' | 'filled' | 'full' {
    const slot = this.#slots.find(({ index }) => this.#control.isFree(index));
    if (!slot) return 'full';
    const piece = this.#nextPiece();
    if (!piece) return 'exhausted';
    const { start, end } = piece;
    const length = this.#fill(slot.core, start, end);
    const next = slot.core.kernels.bitmapNextPage(slot.core.workspaceAddress) >>> 0;
    this.#adapt(next - start, length);
    this.#control.setRest(this.#thread, next, end);
    this.#control.addScanned(this.#thread, next - start);
    this.#control.publish({ slot: slot.index, start, end: next, length });
    return 'filled';
  }

  /** Past the wrapper, which makes three objects for each batch. @returns u32 of output */
  #fill({ kernels, workspaceAddress }: BitmapCore, start: number, end: number): number {
    if (this.#runs) return 2 * kernels.bitmapRuns(workspaceAddress, this.#address, start, end);
    return kernels.bitmapExtract(workspaceAddress, this.#address, start, end);
  }

  #nextPiece(): PageRange | undefined {
    const rest = this.#control.rest(this.#thread);
    if (rest.start < rest.end) return rest;
    const unit = this.#control.claim(this.#claimUnits);
    const start = firstPageOf(this.#pages, unit);
    const end = Math.min(this.#pages.end, firstPageOf(this.#pages, unit + this.#claimUnits));
    return start < end ? { start, end } : undefined;
  }

  /** The next claim is as large as fits a slot at the density of this one, and at most four times the last. */
  #adapt(pages: number, length: number): void {
    const units = Math.floor((AIMED_LENGTH / Math.max(length, 1)) * (pages / UNIT_PAGES));
    this.#claimUnits = Math.max(1, Math.min(units, 4 * this.#claimUnits, MAXIMUM_CLAIM_UNITS));
  }
}
