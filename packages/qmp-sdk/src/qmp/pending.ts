import type { JsonObject } from './json.js';

/** Where a command is: waiting in this client, handed to the transport, or done for its caller. */
export type PendingState = 'queued' | 'sent' | 'settled';

/** One command from `execute` to its reply. */
export interface Pending {
  readonly command: string;
  readonly request: JsonObject | undefined;
  /** Says its own id on the wire; whatever has another one before its reply is for a client that came before. */
  readonly syncId: number | undefined;
  /** The frame up to its id: `{"execute":"query-status"`. */
  readonly frameHead: string;
  readonly oob: boolean;
  readonly fd: number | undefined;
  readonly timeoutMs: number;
  /** When it gives up, on the clock of `performance.now()`. */
  readonly deadline: number;
  /** When it is reported as slow; Infinity when it was, or never will be. */
  slowAt: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  state: PendingState;
  /** Unhooks the caller's signal. */
  release: (() => void) | undefined;
  previous: Pending | undefined;
  next: Pending | undefined;
}

/** First in, first out; any one can leave at any time. */
export class PendingQueue {
  #head: Pending | undefined;
  #tail: Pending | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Pending | undefined {
    return this.#head;
  }

  push(pending: Pending): void {
    pending.previous = this.#tail;
    if (this.#tail === undefined) this.#head = pending;
    else this.#tail.next = pending;
    this.#tail = pending;
    this.#size += 1;
  }

  remove(pending: Pending): void {
    if (pending.previous === undefined) this.#head = pending.next;
    else pending.previous.next = pending.next;
    if (pending.next === undefined) this.#tail = pending.previous;
    else pending.next.previous = pending.previous;
    pending.previous = undefined;
    pending.next = undefined;
    this.#size -= 1;
  }

  *[Symbol.iterator](): IterableIterator<Pending> {
    for (let pending = this.#head; pending !== undefined;) {
      const { next } = pending;
      yield pending;
      pending = next;
    }
  }
}

/**
 * The commands that QEMU has, by id. An id is free again only after its reply, so a late reply is never taken for
 * another one's. The last freed is taken first: a caller that awaits each reply always has the shortest id.
 */
export class SlotTable {
  readonly #slots: (Pending | undefined)[];
  readonly #free: number[];
  readonly #firstId: number;

  constructor(firstId: number, size: number) {
    this.#firstId = firstId;
    this.#slots = new Array<Pending | undefined>(size).fill(undefined);
    this.#free = Array.from({ length: size }, (_, index) => size - 1 - index);
  }

  get used(): number {
    return this.#slots.length - this.#free.length;
  }

  get hasFree(): boolean {
    return this.#free.length > 0;
  }

  /** @returns the id on the wire; there must be a free one. */
  take(pending: Pending): number {
    const slot = this.#free.pop() as number;
    this.#slots[slot] = pending;
    return this.#firstId + slot;
  }

  /** @returns the command of this id, which is free from now on; `undefined` when nobody has it. */
  release(id: number): Pending | undefined {
    const slot = id - this.#firstId;
    const pending = this.#slots[slot];
    if (pending === undefined) return undefined;
    this.#slots[slot] = undefined;
    this.#free.push(slot);
    return pending;
  }

  *[Symbol.iterator](): IterableIterator<Pending> {
    for (const pending of this.#slots) if (pending !== undefined) yield pending;
  }
}
