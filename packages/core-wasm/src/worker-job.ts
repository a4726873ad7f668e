import type { BitmapCore } from './bitmap-core.js';
import type { DirtyBitmap } from './bitmap.js';
import type { Address } from './kernels.js';
import { ScanControl, type PageRange } from './worker-control.js';
import type { PoolMember } from './worker-member.js';
import type { ScanOperation, ScanTask } from './worker-protocol.js';
import { firstPageOf } from './worker-scan.js';
import { Workspaces } from './worker-workspaces.js';

export interface ScanProgress {
  readonly scannedPages: number;
  readonly totalPages: number;
}

/** One scan, as asked for; the arguments have been checked. */
export interface ScanPlan {
  readonly operation: ScanOperation;
  readonly bitmap: DirtyBitmap;
  /** Counted from the bitmap's first page. */
  readonly pages: PageRange;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: ScanProgress) => void) | undefined;
  readonly into?: DirtyBitmap;
  readonly counts?: SharedArrayBuffer;
  readonly regionPages?: number;
}

/** Who takes part in a scan, and with how many workspaces each. */
export interface ScanParty {
  readonly members: readonly PoolMember[];
  readonly memberWorkspaces: number;
  /** 0: the thread of the pool itself does not scan. */
  readonly ownWorkspaces: number;
}

/** Often enough for the eye, too seldom to cost anything. */
const PROGRESS_MS = 50;

/** One scan while it runs: its threads, its workspaces, and how it ends. The last thread is the pool's own. */
export class ScanJob {
  readonly plan: ScanPlan;
  readonly control: ScanControl;
  readonly #party: ScanParty;
  readonly #workspaces: Workspaces;
  readonly #borrowed: readonly Address[];
  readonly #calling = new Set<number>();
  readonly #abort = (): void => this.fail(this.plan.signal?.reason);
  #failure: { readonly reason: unknown } | undefined;
  #listeners: (() => void)[] = [];
  #reportedMs = 0;

  /** @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no room for the workspaces */
  constructor(plan: ScanPlan, party: ScanParty) {
    const { members, memberWorkspaces, ownWorkspaces } = party;
    const workspaceCount = members.length * memberWorkspaces + ownWorkspaces;
    this.plan = plan;
    this.#party = party;
    this.#workspaces = Workspaces.of(plan.bitmap.core);
    this.#borrowed = this.#workspaces.borrow(workspaceCount);
    this.control = ScanControl.create(members.length + 1, workspaceCount);
    plan.signal?.addEventListener('abort', this.#abort);
  }

  get totalPages(): number {
    return this.plan.pages.end - this.plan.pages.start;
  }

  get isComplete(): boolean {
    return this.control.scannedPages === this.totalPages;
  }

  get ownThread(): number {
    return this.#party.members.length;
  }

  /** The thread that fills a slot. */
  threadOf(slot: number): number {
    return Math.min(Math.floor(slot / this.#party.memberWorkspaces), this.ownThread);
  }

  taskOf(thread: number): ScanTask {
    const { bitmap, operation, pages, into, counts, regionPages } = this.plan;
    const { memory, build, simd } = bitmap.core;
    const firstSlot = thread * this.#party.memberWorkspaces;
    const workspaceCount = thread === this.ownThread ? this.#party.ownWorkspaces : this.#party.memberWorkspaces;
    return {
      operation,
      pages,
      coreId: this.#workspaces.id,
      memory,
      build,
      simd,
      address: bitmap.address,
      pageCount: bitmap.pageCount,
      control: this.control.buffer,
      threadCount: this.control.threadCount,
      thread,
      firstSlot,
      workspaces: this.#borrowed.slice(firstSlot, firstSlot + workspaceCount),
      ...(into && { into: into.address }),
      ...(counts && { counts }),
      ...(regionPages !== undefined && { regionPages }),
    };
  }

  /** The cores with which the pool's own thread takes part. */
  ownCores(): BitmapCore[] {
    return this.taskOf(this.ownThread).workspaces.map((start) => this.#workspaces.coreAt(start));
  }

  /** The output of a slot: a view of linear memory. */
  output(slot: number, length: number): Uint32Array {
    const address = (this.#borrowed[slot] ?? 0) + this.#workspaces.batchOffset;
    return new Uint32Array(this.plan.bitmap.core.memory.buffer, address, length);
  }

  /** Sends all workers to work that are not at it. */
  callWorkers(): void {
    for (const thread of this.#party.members.keys()) this.callWorker(thread);
  }

  callWorker(thread: number): void {
    const member = this.#party.members[thread];
    if (!member || this.#calling.has(thread)) return;
    this.#calling.add(thread);
    member.run(this.taskOf(thread)).then(
      () => this.#returned(thread),
      (error: unknown) => {
        // A thread that died has not said that it left.
        this.control.setAtWork(thread, false);
        this.fail(error);
        this.#returned(thread);
      },
    );
  }

  /** Of a stream: whether there is something to claim, or left of what the thread has claimed. */
  hasWork(thread: number): boolean {
    const { control, plan } = this;
    if (firstPageOf(plan.pages, control.claimed) < plan.pages.end) return true;
    const rest = control.rest(thread);
    return rest.start < rest.end;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Ends the scan with a reason, the first one given. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.control.cancel();
    this.notify();
  }

  /** @throws the reason for which the scan failed, once no thread touches the bitmap any more */
  async throwIfFailed(): Promise<void> {
    if (!this.#failure) return;
    await this.quiet();
    throw this.#failure.reason;
  }

  /** Resolves when no thread touches the bitmap or a workspace. */
  async quiet(): Promise<void> {
    while (this.control.anyoneAtWork) await this.changed();
  }

  /** Resolves when a worker returned or died, has a batch for who waits by message, or the scan failed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  notify(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  /** Now and then, when called often. */
  report(): void {
    const { onProgress } = this.plan;
    if (!onProgress) return;
    const now = performance.now();
    if (now - this.#reportedMs < PROGRESS_MS && !this.isComplete) return;
    this.#reportedMs = now;
    try {
      onProgress({ scannedPages: this.control.scannedPages, totalPages: this.totalPages });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Reports while nothing else happens. @returns what stops it */
  reportRegularly(): () => void {
    if (!this.plan.onProgress) return () => undefined;
    const timer = setInterval(() => this.report(), PROGRESS_MS);
    return () => clearInterval(timer);
  }

  /** Lets go of everything. Resolves when the threads have, too. */
  async end(): Promise<void> {
    this.plan.signal?.removeEventListener('abort', this.#abort);
    this.control.cancel();
    await this.quiet();
    this.#workspaces.giveBack(this.#borrowed);
  }

  #returned(thread: number): void {
    this.#calling.delete(thread);
    this.notify();
  }
}
