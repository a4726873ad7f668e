// What the threads of one scan share besides the bitmap: 32-bit words. What tells another thread something goes through
// Atomics; what it is told was written before, plainly, and is read after.
//
// Each line is a cache line of 64 bytes, so that a thread does not wait for one that another is writing to beside it:
//
//   line 0      1 = cancelled
//        1      what is claimed so far: who wants work takes from here (units of a stream; chunks: from the front, and
//               times 2^16 from the back) | how the consumer waits: 0 not, 1 for the word beside it, 2 for a message
//               | counts what it may wait for: batches made ready, threads that left
//        2      the result, u32: pages, of which a bitmap has fewer than 2^32
//        3      what is to be done: worker-order.ts
//        4 + t  of thread t: 0 idle, 1 at work, 2 waits for a slot, 3 called | counts the slots given back to it |
//               start, end of what it claimed and has not scanned | pages it has scanned, u32
//   then one per slot: state | start, end page of the batch | its length in u32 | address of the workspace

import { spin, waitAsync } from './worker-doorbell.js';
import { ORDER_WORDS } from './worker-order.js';

const LINE = 16;
const CANCELLED = 0;
const CLAIMED = LINE;
const WAITING = LINE + 1;
const EVENTS = LINE + 2;
const RESULT = 2 * LINE;
const ORDER = 3 * LINE;
const THREADS = 4 * LINE;
const SCANNED = 4;
const WORKSPACE = 4;

const Slot = { free: 0, ready: 1 } as const;
const ThreadState = { idle: 0, atWork: 1, waits: 2, called: 3 } as const;

/** What is nearly there is looked for so long before a thread goes to sleep; waking it takes 15 µs (measured). */
const SPIN_MS = 0.03;

/** How the consumer wants to be told of the next batch. */
export const Waiting = { not: 0, byWord: 1, byMessage: 2 } as const;

/** Pages `start` … `end - 1`. */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

export interface ReadyBatch extends PageRange {
  readonly slot: number;
  /** Of the output, in u32. */
  readonly length: number;
}

/** The shared state of one scan, as every thread of it sees it. Pages are counted from the bitmap's first. */
export class ScanControl {
  readonly buffer: SharedArrayBuffer;
  readonly threadCount: number;
  /** For worker-order.ts. */
  readonly orderWords: Uint32Array;
  readonly #words: Int32Array;
  readonly #slotCount: number;

  constructor(threadCount: number, buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.threadCount = threadCount;
    this.#words = new Int32Array(buffer);
    this.orderWords = new Uint32Array(buffer, 4 * ORDER, ORDER_WORDS);
    this.#slotCount = (this.#words.length - threadWord(threadCount)) / LINE;
  }

  static create(threadCount: number, slotCount: number): ScanControl {
    const words = threadWord(threadCount) + LINE * slotCount;
    return new ScanControl(threadCount, new SharedArrayBuffer(4 * words));
  }

  /** As it was made. Only when no thread is at work or called. */
  reset(): void {
    this.#words.fill(0);
  }

  get cancelled(): boolean {
    return Atomics.load(this.#words, CANCELLED) !== 0;
  }

  /** Threads see it before their next piece of work; those that wait for a slot wake up. */
  cancel(): void {
    Atomics.store(this.#words, CANCELLED, 1);
    for (let thread = 0; thread < this.threadCount; thread++) {
      Atomics.add(this.#words, threadWord(thread) + 1, 1);
      Atomics.notify(this.#words, threadWord(thread) + 1);
    }
  }

  /** @returns the first of the `count` units that are now the caller's; they may lie behind the last one there is */
  claim(count: number): number {
    return Atomics.add(this.#words, CLAIMED, count) >>> 0;
  }

  /**
   * A chunk of `chunkCount` (below 2^16) for the caller alone: even threads take from the front, odd ones from the
   * back. So in one scan after the other a thread writes results that its own cache holds already.
   *
   * @returns undefined: there is none left
   */
  claimChunk(thread: number, chunkCount: number): number | undefined {
    const isOdd = thread % 2 === 1;
    const before = Atomics.add(this.#words, CLAIMED, isOdd ? 2 ** 16 : 1);
    const [fromFront, fromBack] = [before & 0xffff, before >>> 16];
    if (fromFront + fromBack >= chunkCount) return undefined;
    return isOdd ? chunkCount - 1 - fromBack : fromFront;
  }

  /** Units that have been claimed, or asked for behind the last one. */
  get claimed(): number {
    return Atomics.load(this.#words, CLAIMED) >>> 0;
  }

  addScanned(thread: number, pages: number): void {
    Atomics.add(this.#words, threadWord(thread) + SCANNED, pages | 0);
  }

  get scannedPages(): number {
    let pages = 0;
    for (let thread = 0; thread < this.threadCount; thread++) {
      pages += Atomics.load(this.#words, threadWord(thread) + SCANNED) >>> 0;
    }
    return pages;
  }

  /** Before `addScanned` of the same piece, so that who sees all pages scanned sees the whole result. */
  addResult(value: number): void {
    Atomics.add(this.#words, RESULT, value | 0);
  }

  get result(): number {
    return Atomics.load(this.#words, RESULT) >>> 0;
  }

  /** @returns whether the thread has to be told: not when it is called or at work already */
  call(thread: number): boolean {
    return this.#change(thread, ThreadState.idle, ThreadState.called);
  }

  /**
   * By the thread that is called. It is at work until it says that it is not; whoever wants it to touch the bitmap no
   * more waits for that.
   */
  take(thread: number): boolean {
    return this.#change(thread, ThreadState.called, ThreadState.atWork);
  }

  /** By a thread that took the call and cannot serve it yet. */
  putBack(thread: number): void {
    Atomics.store(this.#words, threadWord(thread), ThreadState.called);
  }

  setAtWork(thread: number, atWork: boolean): void {
    Atomics.store(this.#words, threadWord(thread), atWork ? ThreadState.atWork : ThreadState.idle);
  }

  /** Takes a call back. @returns false: there was none, or the thread has taken it */
  withdrawCall(thread: number): boolean {
    return this.#change(thread, ThreadState.called, ThreadState.idle);
  }

  get anyoneAtWork(): boolean {
    for (let thread = 0; thread < this.threadCount; thread++) {
      if (Atomics.load(this.#words, threadWord(thread)) !== ThreadState.idle) return true;
    }
    return false;
  }

  /** What the thread claimed and has not scanned: for itself, and for others when it is idle. */
  rest(thread: number): PageRange {
    const word = threadWord(thread);
    return { start: this.#u32(word + 2), end: this.#u32(word + 3) };
  }

  setRest(thread: number, start: number, end: number): void {
    const word = threadWord(thread);
    this.#words[word + 2] = start;
    this.#words[word + 3] = end;
  }

  /** Addresses in linear memory, one for each slot. */
  setWorkspaces(addresses: readonly number[]): void {
    for (const [slot, address] of addresses.entries()) this.#words[this.#slotWord(slot) + WORKSPACE] = address;
  }

  workspaceAt(slot: number): number {
    return this.#u32(this.#slotWord(slot) + WORKSPACE);
  }

  isFree(slot: number): boolean {
    return Atomics.load(this.#words, this.#slotWord(slot)) === Slot.free;
  }

  publish({ slot, start, end, length }: ReadyBatch): void {
    const word = this.#slotWord(slot);
    this.#words[word + 1] = start;
    this.#words[word + 2] = end;
    this.#words[word + 3] = length;
    Atomics.store(this.#words, word, Slot.ready);
    Atomics.add(this.#words, EVENTS, 1);
  }

  /** The batch that begins at a page, if a thread has it ready. */
  readyAt(start: number): ReadyBatch | undefined {
    for (let slot = 0; slot < this.#slotCount; slot++) {
      const word = this.#slotWord(slot);
      if (Atomics.load(this.#words, word) !== Slot.ready) continue;
      if (this.#u32(word + 1) !== start) continue;
      return { slot, start, end: this.#u32(word + 2), length: this.#u32(word + 3) };
    }
    return undefined;
  }

  /** Gives a slot back to the thread that fills it. */
  release(slot: number, thread: number): void {
    Atomics.store(this.#words, this.#slotWord(slot), Slot.free);
    const word = threadWord(thread);
    Atomics.add(this.#words, word + 1, 1);
    // Telling costs as much as all the rest; a thread that begins to wait now sees the count that it did not expect.
    if (Atomics.load(this.#words, word) === ThreadState.waits) Atomics.notify(this.#words, word + 1);
  }

  /** For `waitForFreeSlot`: taken before one looks for a free slot. */
  slotsGivenBack(thread: number): number {
    return Atomics.load(this.#words, threadWord(thread) + 1);
  }

  /** Blocks. @returns false when nothing came back within the time */
  waitForFreeSlot(thread: number, seen: number, timeoutMs: number): boolean {
    if (spin(SPIN_MS, () => this.slotsGivenBack(thread) !== seen)) return true;
    const word = threadWord(thread);
    Atomics.store(this.#words, word, ThreadState.waits);
    const outcome = Atomics.wait(this.#words, word + 1, seen, timeoutMs);
    Atomics.store(this.#words, word, ThreadState.atWork);
    return outcome !== 'timed-out';
  }

  /** For the waits: taken before one looks for what one would wait for. */
  get events(): number {
    return Atomics.load(this.#words, EVENTS);
  }

  setWaiting(how: (typeof Waiting)[keyof typeof Waiting]): void {
    Atomics.store(this.#words, WAITING, how);
  }

  /** Blocks until something happened since `seen`, or for `timeoutMs`. */
  waitForEvent(seen: number, timeoutMs: number): void {
    if (spin(SPIN_MS, () => this.events !== seen)) return;
    this.setWaiting(Waiting.byWord);
    Atomics.wait(this.#words, EVENTS, seen, timeoutMs);
    this.setWaiting(Waiting.not);
  }

  /** The same without blocking, where `canWaitAsync`. */
  async nextEvent(seen: number): Promise<void> {
    this.setWaiting(Waiting.byWord);
    await waitAsync(this.#words, EVENTS, seen);
  }

  /** After `publish`, and when a thread has left. @returns whether the consumer has to be sent a message */
  wakeConsumer(): boolean {
    if (Atomics.load(this.#words, WAITING) === Waiting.not) return false;
    const how = Atomics.exchange(this.#words, WAITING, Waiting.not);
    if (how === Waiting.byWord) Atomics.notify(this.#words, EVENTS);
    return how === Waiting.byMessage;
  }

  /** A thread has left, or the scan ends. @returns whether the consumer has to be sent a message */
  announceEnd(): boolean {
    Atomics.add(this.#words, EVENTS, 1);
    return this.wakeConsumer();
  }

  #change(thread: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, threadWord(thread), from, to) === from;
  }

  #u32(word: number): number {
    return (this.#words[word] ?? 0) >>> 0;
  }

  #slotWord(slot: number): number {
    return threadWord(this.threadCount) + LINE * slot;
  }
}

function threadWord(thread: number): number {
  return THREADS + LINE * thread;
}
