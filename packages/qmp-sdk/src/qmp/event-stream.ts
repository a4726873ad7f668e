import { QmpEventOverflowError } from './errors.js';

/** What happens to an event when a subscriber's buffer is full. */
export type EventOverflow = 'drop-oldest' | 'drop-newest' | 'error';

export interface EventStreamOptions<T> {
  /** Only these; it runs for each event as it arrives. If it throws, this stream ends with that error. */
  readonly where?: (event: T) => boolean;
  /** Events that wait to be read; 1024. */
  readonly buffer?: number;
  readonly overflow?: EventOverflow;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
  /** Called with the number of events that were just dropped (1). */
  readonly onDropped?: (count: number) => void;
}

/**
 * A bounded live subscription. It ends after a local close or `quit`; when the connection is lost it throws
 * `QmpClosedError`, after the events that came before.
 */
export interface EventStream<T> extends AsyncIterableIterator<T>, Disposable {
  /** Events that were dropped because nobody read them in time. */
  readonly dropped: number;
  close(): void;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** The end of a stream, with the reason if it is a failure. */
export interface Ending {
  readonly error?: Error;
}

/** What a caller's function threw, as an Error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('a callback threw something that is no Error', { cause: thrown });
}

/**
 * A ring of events between the connection and one reader.
 *
 *      start            start + count (mod capacity)
 *        ▼                  ▼
 *   [    │ e3 │ e4 │ e5 │   │    ]     full: drop e3 and advance, or refuse the new one, or fail
 */
export class EventQueue<T> implements EventStream<T> {
  readonly #where: ((event: T) => boolean) | undefined;
  readonly #capacity: number;
  readonly #overflow: EventOverflow;
  readonly #onDropped: ((count: number) => void) | undefined;
  readonly #onClose: () => void;
  #ring: T[] = [];
  #start = 0;
  #count = 0;
  #dropped = 0;
  #waiters: Waiter<T>[] = [];
  #ending: Ending | undefined;

  /** @throws RangeError for a buffer that is no positive integer. */
  constructor(options: EventStreamOptions<T>, onClose: () => void) {
    const { buffer = 1024, overflow = 'drop-oldest', where, onDropped, signal } = options;
    if (!Number.isInteger(buffer) || buffer < 1)
      throw new RangeError(`buffer is ${buffer}, not an integer from 1 on`);
    this.#capacity = buffer;
    this.#overflow = overflow;
    this.#where = where;
    this.#onDropped = onDropped;
    const close = (): void => this.close();
    this.#onClose = () => {
      signal?.removeEventListener('abort', close);
      onClose();
    };
    if (signal?.aborted === true) this.#ending = {};
    else signal?.addEventListener('abort', close, { once: true });
  }

  get dropped(): number {
    return this.#dropped;
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  /** @returns how many events were lost by this one: 0 or 1. */
  push(event: T): number {
    if (this.#ending !== undefined) return 0;
    try {
      if (this.#where !== undefined && !this.#where(event)) return 0;
    } catch (error) {
      this.finish({ error: errorOf(error) });
      return 0;
    }
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.resolve({ value: event, done: false });
    else if (this.#count < this.#capacity) this.#append(event);
    else return this.#overflowed(event);
    return 0;
  }

  /** No more events; those that wait can still be read. With `error`, reading fails after them. */
  finish(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#onClose();
    for (const waiter of this.#waiters.splice(0)) {
      if (ending.error !== undefined) waiter.reject(ending.error);
      else waiter.resolve({ value: undefined, done: true });
    }
  }

  close(): void {
    this.finish({});
    this.#ring = [];
    this.#count = 0;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#count > 0) return Promise.resolve({ value: this.#shift(), done: false });
    if (this.#ending === undefined) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    const { error } = this.#ending;
    if (error === undefined) return Promise.resolve({ value: undefined, done: true });
    // Once is enough: a reader that goes on sees the end.
    this.#ending = {};
    return Promise.reject(error);
  }

  return(): Promise<IteratorResult<T>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #overflowed(event: T): number {
    if (this.#overflow === 'error') {
      this.finish({ error: new QmpEventOverflowError(this.#capacity) });
      return 1;
    }
    if (this.#overflow === 'drop-oldest') {
      this.#shift();
      this.#append(event);
    }
    this.#dropped += 1;
    this.#onDropped?.(1);
    return 1;
  }

  #append(event: T): void {
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#start + this.#count) % this.#ring.length] = event;
    this.#count += 1;
  }

  #shift(): T {
    const event = this.#ring[this.#start] as T;
    this.#ring[this.#start] = undefined as T;
    this.#start = (this.#start + 1) % this.#ring.length;
    this.#count -= 1;
    return event;
  }

  #grow(): void {
    const size = Math.min(this.#capacity, Math.max(16, this.#ring.length * 2));
    const ordered = [...this.#ring.slice(this.#start), ...this.#ring.slice(0, this.#start)];
    this.#ring = [...ordered, ...new Array<T>(size - ordered.length)];
    this.#start = 0;
  }
}
