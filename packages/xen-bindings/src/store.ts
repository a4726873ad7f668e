import { openNative } from './availability.js';
import { XenCallError, XenError, XenErrorCode, calling } from './errors.js';
import type { NativeXenstore } from './native-types.js';
import { StoreNodes, requirePath } from './store-nodes.js';

/** Called on the event loop for each change at or below a watched path, and once right after watching. */
export type WatchCallback = (path: string, token: string) => void;

export interface Watch {
  /** After this the callback is not called any more. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Attempts at a transaction before giving up. Conflicts last microseconds; xenstored itself delays the loser. */
export const TRANSACTION_ATTEMPTS_MAX = 64;

/** Outside of a transaction: XBT_NULL. */
const NO_TRANSACTION = 0;

interface WatchEntry {
  readonly path: string;
  readonly token: string;
  readonly callback: WatchCallback;
}

/**
 * Xenstore: libxenstore, xenstored's socket or `/dev/xen/xenbus`. Calls are synchronous. Open watches keep the
 * process alive. Every method throws XenCallError when xenstored refuses and XenError `XEN_CLOSED` after close().
 */
export class Xenstore extends StoreNodes {
  readonly #native: NativeXenstore;
  readonly #watches = new Map<string, WatchEntry>();
  #lastWatchNumber = 0;

  private constructor(native: NativeXenstore) {
    super(native, NO_TRANSACTION);
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): Xenstore {
    return new Xenstore(openNative(['xenstore'], (addon) => new addon.Xenstore()));
  }

  /**
   * Runs `action` on a view of the store that nobody else changes, and commits what it wrote, all or nothing. After
   * a conflict it is run again, so it must not do anything else, and must not be async. What it throws aborts and
   * is thrown.
   * @throws XenError `XEN_TRANSACTION_CONFLICT` after {@link TRANSACTION_ATTEMPTS_MAX} conflicts
   */
  transaction<Result>(action: (nodes: StoreNodes) => Result): Result {
    for (let attempt = 0; attempt < TRANSACTION_ATTEMPTS_MAX; attempt += 1) {
      const transaction = calling(() => this.#native.xs_transaction_start());
      const result = this.#runIn(transaction, action);
      if (calling(() => this.#native.xs_transaction_end(transaction, false))) return result;
    }
    throw new XenError(
      XenErrorCode.transactionConflict,
      `the transaction met a conflict ${TRANSACTION_ATTEMPTS_MAX} times; find out who keeps writing to the same nodes`,
    );
  }

  #runIn<Result>(transaction: number, action: (nodes: StoreNodes) => Result): Result {
    try {
      const result = action(new StoreNodes(this.#native, transaction));
      if (result instanceof Promise) throw new TypeError('the action of a transaction must not be async');
      return result;
    } catch (error) {
      this.#abort(transaction);
      throw error;
    }
  }

  /** The reason for aborting is what the caller must hear; a transaction that xenstored has lost is aborted too. */
  #abort(transaction: number): void {
    try {
      this.#native.xs_transaction_end(transaction, true);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }

  /**
   * Watches a path and everything below it, or `@releaseDomain`, `@introduceDomain`. `token` is handed to the
   * callback. When the connection breaks, the event loop gets an uncaught XenCallError and all watches are closed.
   */
  watch(path: string, token: string, callback: WatchCallback): Watch {
    this.#lastWatchNumber += 1;
    const key = String(this.#lastWatchNumber); // unique per connection, as xenstored wants it
    calling(() => {
      if (this.#watches.size === 0) this.#native.startListening((...event) => this.#onEvent(...event));
    });
    this.#watches.set(key, { path: requirePath(path), token, callback });
    try {
      calling(() => this.#native.xs_watch(path, key));
    } catch (error) {
      this.#forget(key);
      throw error;
    }
    const close = (): void => this.#unwatch(key);
    return { close, [Symbol.dispose]: close };
  }

  #onEvent(errno: number, path: string, key: string): void {
    if (errno !== 0) {
      this.#watches.clear();
      this.#native.stopListening();
      throw new XenCallError('xs_check_watch', errno, 'the connection to xenstored is lost; all watches are closed');
    }
    const entry = this.#watches.get(key);
    entry?.callback(path, entry.token);
  }

  #unwatch(key: string): void {
    const entry = this.#watches.get(key);
    if (entry === undefined) return;
    this.#forget(key);
    calling(() => this.#native.xs_unwatch(entry.path, key));
  }

  #forget(key: string): void {
    this.#watches.delete(key);
    if (this.#watches.size === 0) this.#native.stopListening();
  }

  /** Closes the watches too. */
  close(): void {
    this.#watches.clear();
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
