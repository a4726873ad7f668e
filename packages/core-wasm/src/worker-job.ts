import type { BitmapCore } from './bitmap-core.js';
import type { DirtyBitmap } from './bitmap.js';
import type { Address } from './kernels.js';
import { Waiting, type PageRange, type ScanControl } from './worker-control.js';
import { canWaitAsync, spin } from './worker-doorbell.js';
import { mayBlock } from './worker-host.js';
import type { PoolMember } from './worker-member.js';
import { taskOf, writeOrder, type ScanOperation, type ScanOrder, type ScanTask } from './worker-order.js';
import { firstPageOf } from './worker-scan.js';
import type { Seat, Seats } from './worker-seats.js';
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
  readonly counts?: ScanCounts;
  readonly regionPages?: number;
}

/** Where a histogram goes. */
export interface ScanCounts {
  readonly buffer: SharedArrayBuffer;
  /** It is the caller's, for one scan after the other. */
  readonly usedAgain: boolean;
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

/** A worker that found the last piece scanned leaves within a microsecond; being told of it would take longer. */
const LEAVE_SPIN_MS = 0.02;

/** One scan while it runs: its threads, its workspaces, and how it ends. The last thread is the pool's own. */
export class ScanJob {
  static #count = 0;

  readonly plan: ScanPlan;
  readonly id = ScanJob.#count++ >>> 0;
  readonly control: ScanControl;
  readonly #party: ScanParty;
  readonly #order: ScanOrder;
  readonly #seats: Seats;
  readonly #seat: Seat;
  readonly #workspaces: Workspaces;
  readonly #borrowed: readonly Address[];
  readonly #abort = (): void => this.fail(this.plan.signal?.reason);
  #failure: { readonly reason: unknown } | undefined;
  #lostThread = false;
  #listeners: (() => void)[] = [];
  #reportedMs = 0;

  /** @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no room for the workspaces */
  constructor(plan: ScanPlan, party: ScanParty, seats: Seats) {
    const { members, memberWorkspaces, ownWorkspaces } = party;
    this.plan = plan;
    this.#party = party;
    this.#workspaces = Workspaces.of(plan.bitmap.core);
    this.#borrowed = this.#workspaces.borrow(members.length * memberWorkspaces + ownWorkspaces);
    this.#seats = seats;
    this.#seat = seats.take();
    this.control = this.#seat.control;
    this.#order = orderOf(this.id, this.#workspaces.id, plan, party);
    writeOrder(this.control.orderWords, this.#order);
    this.control.setWorkspaces(this.#borrowed);
    plan.signal?.addEventListener('abort', this.#abort);
    for (const member of members) this.#join(member);
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

  /** What the pool's own thread needs to take part. */
  get ownTask(): ScanTask {
    return { ...taskOf(this.control, this.#order, this.ownThread, true), counts: this.plan.counts?.buffer };
  }

  /** The cores with which it does. */
  ownCores(): BitmapCore[] {
    return this.ownTask.workspaces.map((start) => this.#workspaces.coreAt(start));
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

  /** The pool's own thread needs no call. */
  callWorker(thread: number): void {
    const member = this.#party.members[thread];
    if (member && !this.failed && this.control.call(thread)) member.ring();
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
    this.control.announceEnd();
    this.notify();
  }

  /** @throws the reason for which the scan failed, once no thread touches the bitmap any more */
  async throwIfFailed(): Promise<void> {
    if (!this.#failure) return;
    await this.quiet();
    throw this.#failure.reason;
  }

  /** A worker died: if it is one of this scan, the scan fails. */
  lose(member: PoolMember, reason: unknown): void {
    const thread = this.#party.members.indexOf(member);
    if (thread < 0) return;
    // A thread that died has not said that it left.
    this.control.setAtWork(thread, false);
    this.#lostThread = true;
    this.fail(reason);
  }

  /** Resolves when no thread touches the bitmap or a workspace, and none will. Only for a scan that has ended. */
  async quiet(): Promise<void> {
    for (;;) {
      const seen = this.control.events;
      if (this.#withdrawCalls()) return;
      await this.nextEvent(seen);
    }
  }

  /** Blocks until something happened since `seen`, or for `timeoutMs`. */
  blockForEvent(seen: number, timeoutMs: number): void {
    this.control.waitForEvent(seen, timeoutMs);
    // There is one word that says how a thread wants to be told: others that wait say so again.
    this.notify();
  }

  /**
   * Resolves when something happened since `seen`, `control.events` before the caller looked: a batch is ready, a
   * worker has left or died, the scan failed; or for no reason.
   */
  async nextEvent(seen: number): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#listeners.push(resolve));
    if (canWaitAsync() && !mayBlock()) {
      void this.control.nextEvent(seen).then(() => this.notify());
      return heard;
    }
    this.control.setWaiting(Waiting.byMessage);
    if (this.control.events === seen) await heard;
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
    // Before anything is awaited, so that the next scan finds the same workspaces and control words free.
    if (!mayBlock() || !spin(LEAVE_SPIN_MS, () => this.#withdrawCalls())) await this.quiet();
    this.#workspaces.giveBack(this.#borrowed);
    if (this.#lostThread) this.#seats.discard(this.#seat);
    else this.#seats.giveBack(this.#seat);
    for (const member of this.#party.members) this.#leave(member);
  }

  #join(member: PoolMember): void {
    const { bitmap, counts } = this.plan;
    const { core } = bitmap;
    const { memory, build, simd } = core;
    member.join(this.#workspaces.id, { memory, build, simd }).catch((error: unknown) => this.fail(error));
    if (counts) member.joinCounts(this.#order.countsId, counts.buffer);
  }

  #leave(member: PoolMember): void {
    member.leave(this.#workspaces.id);
    if (this.plan.counts) member.leaveCounts(this.#order.countsId, this.plan.counts.usedAgain);
  }

  /** @returns whether no worker is at work */
  #withdrawCalls(): boolean {
    for (const thread of this.#party.members.keys()) this.control.withdrawCall(thread);
    return !this.control.anyoneAtWork;
  }
}

function orderOf(scanId: number, coreId: number, plan: ScanPlan, party: ScanParty): ScanOrder {
  const { operation, bitmap, pages, into, regionPages, counts } = plan;
  return {
    operation,
    scanId,
    coreId,
    address: bitmap.address,
    pageCount: bitmap.pageCount,
    pages,
    workerSlots: party.memberWorkspaces,
    ownSlots: party.ownWorkspaces,
    into: into?.address ?? 0,
    regionPages: regionPages ?? 0,
    countsId: counts ? countsIdOf(counts.buffer) : 0,
  };
}

const countsIds = new WeakMap<SharedArrayBuffer, number>();
let countsCount = 0;

function countsIdOf(buffer: SharedArrayBuffer): number {
  let id = countsIds.get(buffer);
  if (id === undefined) countsIds.set(buffer, (id = ++countsCount >>> 0));
  return id;
}
