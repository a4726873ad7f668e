import { bitmapBytes, requireSibling } from './bitmap-arguments.js';
import type { DirtyBitmap, FrameBatch, RunBatch } from './bitmap.js';
import { CoreError } from './errors.js';
import { requireInteger } from './u32.js';
import { workerCode } from './worker-code.generated.js';
import { mayBlock, processorCount } from './worker-host.js';
import { ScanJob, type ScanPlan } from './worker-job.js';
import { PoolMember } from './worker-member.js';
import type { ScanOperation } from './worker-order.js';
import { countsFor, planOf, type ScanOptions } from './worker-plan.js';
import { reduce } from './worker-reduce.js';
import { CHUNK_PAGES } from './worker-scan.js';
import { Seats } from './worker-seats.js';
import { frameBatches, runBatches } from './worker-shapes.js';
import { BatchStream, type BatchIterator, type BatchShape } from './worker-stream.js';

export interface ScanPoolOptions {
  /** Workers, 1 … 64. Default: one less than there are processors, at least 1 and at most 4. */
  readonly threads?: number;
  /**
   * Whether the thread that calls the pool takes part in a large scan, in slices of 8 ms. Default: it does in Node and
   * in a Web Worker, and does not in a page, which would stutter.
   */
  readonly ownThread?: boolean;
  /** From how many bytes of bitmap on workers are called, for all operations. Default: OFFLOAD_BYTES. */
  readonly offloadBytes?: number;
  /** Closes the pool; what is pending is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Dirty pages of each region that a range touches. */
export interface RegionCounts {
  /** The first and the last count what lies in the range. The array is shared memory of its own, or the caller's. */
  readonly counts: Uint32Array;
  /** Of counts[0]. Region i starts at frame `baseFrame + i * regionPages`. */
  readonly firstRegion: number;
  readonly regionPages: number;
}

/**
 * Bytes of bitmap that one thread scans in about 0.5 ms, from where on a second one surely pays: waking it takes
 * 15 µs, and more where the processor has slept (measured). At 24 GB/s for count and histogram, 8 for harvest, 2 for
 * the atomic one; extract and runs do 2 to 40, by density.
 */
export const OFFLOAD_BYTES: Readonly<Record<ScanOperation, number>> = {
  count: 12 * 2 ** 20,
  histogram: 12 * 2 ** 20,
  harvest: 4 * 2 ** 20,
  harvestAtomic: 2 ** 20,
  extract: 4 * 2 ** 20,
  runs: 4 * 2 ** 20,
};

const MAXIMUM_THREADS = 64;
/** Four threads read as fast as the memory of most machines gives. */
const DEFAULT_MAXIMUM_THREADS = 4;

/** One is read, one is written, one lies between: 0.94 MiB for each worker. */
const SLOTS_PER_WORKER = 3;
/** The pool's own thread is the reader, too. */
const OWN_SLOTS = 2;

/** A chunk takes far less; a thread that takes longer is ended where it is. */
const CLOSE_PATIENCE_MS = 1000;

/**
 * Workers that scan bitmaps in shared memory, in place.
 *
 * An operation on a bitmap that is too small to be worth it runs in the calling thread. When a promise of the pool
 * settles, by whatever end, no thread touches the bitmap for it any more. Several operations may run at once; the
 * workers take them in turn.
 */
export class ScanPool implements AsyncDisposable {
  readonly threads: number;
  readonly #ownThread: boolean;
  readonly #offloadBytes: number | undefined;
  readonly #members: PoolMember[] = [];
  readonly #seats: Seats;
  readonly #jobs = new Set<ScanJob>();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => void this.#close(this.#signal?.reason);
  #closing: Promise<void> | undefined;
  #closeReason: unknown;
  #started = 0;

  private constructor(options: ScanPoolOptions) {
    const defaultThreads = Math.max(1, Math.min(processorCount() - 1, DEFAULT_MAXIMUM_THREADS));
    this.threads = options.threads ?? defaultThreads;
    requireInteger('threads', this.threads, 1, MAXIMUM_THREADS);
    this.#ownThread = options.ownThread ?? mayBlock();
    this.#offloadBytes = options.offloadBytes;
    if (this.#offloadBytes !== undefined) requireInteger('offloadBytes', this.#offloadBytes, 0, 2 ** 32);
    this.#signal = options.signal;
    this.#signal?.throwIfAborted();
    this.#signal?.addEventListener('abort', this.#abort);
    const slotCount = SLOTS_PER_WORKER * this.threads + OWN_SLOTS;
    this.#seats = new Seats(this.threads + 1, slotCount, (seat) => {
      for (const member of this.#members) member.introduceSeat(seat);
    });
    for (let index = 0; index < this.threads; index++) this.#members.push(this.#startMember(index));
  }

  /**
   * Starts the workers; resolves when all of them can work. Close the pool: its threads keep a process alive.
   *
   * @throws {CoreTypeError | CoreRangeError} an option is out of range
   * @throws {CoreError} `CORE_WORKER_DIED`: a worker could not be started
   * @throws the reason of `signal`
   */
  static async open(options: ScanPoolOptions = {}): Promise<ScanPool> {
    const pool = new ScanPool(options);
    try {
      await Promise.all(pool.#members.map((member) => member.ready));
    } catch (error) {
      await pool.close();
      options.signal?.throwIfAborted();
      throw error;
    }
    return pool;
  }

  /**
   * Dirty pages in the range.
   *
   * @throws (rejects) CoreTypeError, CoreRangeError: a wrong argument, memory that is not shared; CoreError
   * `CORE_WORKER_DIED`, `CORE_POOL_CLOSED`, `CORE_MEMORY_LIMIT` (no room for 320 KiB per worker); the signal's reason
   */
  async count(bitmap: DirtyBitmap, options: ScanOptions = {}): Promise<number> {
    return this.#reduce(planOf('count', bitmap, options));
  }

  /**
   * Dirty pages of each region.
   *
   * @param regionPages a power of two, 1 … 2^31, large enough for 2^24 regions at most
   * @param options `counts`: filled instead of new memory, 4 bytes for each region; used again for one histogram after
   * the other it saves the time that the system takes to find and to clear memory
   * @throws as `count`
   */
  async histogram(
    bitmap: DirtyBitmap,
    regionPages: number,
    options: ScanOptions & { readonly counts?: SharedArrayBuffer } = {},
  ): Promise<RegionCounts> {
    const plan = planOf('histogram', bitmap, options);
    const { firstRegion, counts } = countsFor(plan, regionPages, options.counts);
    const target = { buffer: counts.buffer, usedAgain: options.counts !== undefined };
    await this.#reduce({ ...plan, counts: target, regionPages });
    return { counts, firstRegion, regionPages };
  }

  /**
   * `into |= bitmap`, then `bitmap = 0`, over the range. Ended early (abort, close, a worker's death) it is done for
   * some pages and not for others; but for a worker's death no dirty page is lost: it is in one or in the other.
   *
   * @param options `atomic`: other threads go on setting bits of `bitmap` by atomic OR; none is lost
   * @returns pages that are dirty in `into` now and were not before
   * @throws as `count`; CoreTypeError: `into` has another memory, pageCount or baseFrame
   */
  async harvest(
    bitmap: DirtyBitmap,
    into: DirtyBitmap,
    options: ScanOptions & { readonly atomic?: boolean } = {},
  ): Promise<number> {
    const plan = planOf(options.atomic ? 'harvestAtomic' : 'harvest', bitmap, options);
    requireSibling(bitmap, 'into', into);
    return this.#reduce({ ...plan, into });
  }

  /**
   * The dirty frames of the range, ascending, in batches of at most 65,536 that are not empty. A batch is a view of
   * linear memory, valid until the next is asked for. Not asking stops the scan; leaving the loop, or `return()`,
   * ends it.
   *
   * @throws CoreTypeError, CoreRangeError at once; the iterator rejects as `count` does
   */
  extract(bitmap: DirtyBitmap, options: ScanOptions = {}): BatchIterator<FrameBatch> {
    const plan = planOf('extract', bitmap, options);
    return this.#stream(plan, frameBatches(bitmap.baseFrame));
  }

  /**
   * The runs of dirty frames, ascending, none of them split, in batches of at most 32,768; otherwise as `extract`.
   *
   * @throws as `extract`
   */
  runs(bitmap: DirtyBitmap, options: ScanOptions = {}): BatchIterator<RunBatch> {
    const plan = planOf('runs', bitmap, options);
    return this.#stream(plan, runBatches(bitmap.baseFrame));
  }

  /** Rejects what is pending with CoreError `CORE_POOL_CLOSED`. Resolves when the threads are gone. Twice is fine. */
  close(): Promise<void> {
    return this.#close(new CoreError('CORE_POOL_CLOSED', 'the pool has been closed: open another one'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #reduce(plan: ScanPlan): Promise<number> {
    const members = this.#membersFor(plan);
    const ownScans = this.#ownThread || members.length === 0;
    const ownWorkspaces = plan.operation === 'histogram' && ownScans ? 1 : 0;
    const job = this.#begin(new ScanJob(plan, { members, memberWorkspaces: 1, ownWorkspaces }, this.#seats));
    try {
      return await reduce(job, ownScans);
    } finally {
      void this.#end(job);
    }
  }

  #stream<Batch>(plan: ScanPlan, shape: BatchShape<Batch>): BatchIterator<Batch> {
    return new BatchStream(shape, () => {
      const members = this.#membersFor(plan);
      const ownScans = this.#ownThread || members.length === 0;
      const ownWorkspaces = ownScans ? OWN_SLOTS : 0;
      const party = { members, memberWorkspaces: SLOTS_PER_WORKER, ownWorkspaces };
      const job = this.#begin(new ScanJob(plan, party, this.#seats));
      return { job, ownScans, end: () => this.#end(job) };
    });
  }

  #begin(job: ScanJob): ScanJob {
    this.#jobs.add(job);
    return job;
  }

  async #end(job: ScanJob): Promise<void> {
    await job.end();
    this.#jobs.delete(job);
  }

  /** The workers that take part: none in a scan that is too small. Dead ones are replaced. */
  #membersFor({ operation, pages, signal }: ScanPlan): readonly PoolMember[] {
    if (this.#closing) throw this.#closeReason;
    signal?.throwIfAborted();
    const bytes = bitmapBytes(pages.end - pages.start);
    if (bytes < (this.#offloadBytes ?? OFFLOAD_BYTES[operation])) return [];
    for (const [index, member] of this.#members.entries()) {
      if (member.death) this.#members[index] = this.#startMember(index);
    }
    // More threads than pieces would find nothing.
    const members = this.#members.slice(0, Math.ceil((pages.end - pages.start) / CHUNK_PAGES));
    // They wake up while the scan is prepared.
    for (const member of members) member.ring();
    return members;
  }

  #startMember(thread: number): PoolMember {
    const name = `scan worker ${++this.#started}`;
    const place = { thread, threadCount: this.threads + 1, seats: this.#seats.all };
    return new PoolMember(workerCode, name, place, {
      onWake: () => this.#jobs.forEach((job) => job.notify()),
      onFailure: (scanId, reason) => this.#jobs.forEach((job) => job.id === scanId && job.fail(reason)),
      onDeath: (dead, reason) => this.#bury(dead, reason),
    });
  }

  /** A worker that has worked is replaced at once; one that could not be started, when it is needed. */
  #bury(dead: PoolMember, reason: CoreError): void {
    for (const job of this.#jobs) job.lose(dead, reason);
    const index = this.#members.indexOf(dead);
    if (!this.#closing && dead.isReady && index >= 0) this.#members[index] = this.#startMember(index);
  }

  #close(reason: unknown): Promise<void> {
    this.#closing ??= this.#shutDown(reason);
    return this.#closing;
  }

  async #shutDown(reason: unknown): Promise<void> {
    this.#closeReason = reason;
    this.#signal?.removeEventListener('abort', this.#abort);
    const jobs = [...this.#jobs];
    for (const job of jobs) job.fail(reason);
    await settledWithin(Promise.all(jobs.map((job) => job.quiet())), CLOSE_PATIENCE_MS);
    const closed = new CoreError('CORE_POOL_CLOSED', 'the pool has been closed', { cause: reason });
    await Promise.all(this.#members.map((member) => member.terminate(closed)));
    for (const job of jobs) for (const member of this.#members) job.lose(member, closed);
  }
}

async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([promise, patience]);
  clearTimeout(timer);
}
