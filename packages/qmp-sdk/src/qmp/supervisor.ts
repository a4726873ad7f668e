import type { QmpClient } from './generic-client.js';
import { QmpAbortedError, QmpClosedError } from './errors.js';
import { EventQueue } from './event-stream.js';
import type { CloseInfo } from './options.js';

export interface SupervisorOptions<C, E> {
  /** Ends it, as `close` does. */
  readonly signal?: AbortSignal;
  /** Before the second attempt; 100. It doubles up to `maxDelayMs`; 5000. */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  /**
   * Runs in each new session before anybody gets it: ask for the state here (query-status, query-jobs, query-block …),
   * since events of the gap are lost. If it fails the session is dropped and another one is tried.
   */
  readonly resync?: (client: QmpClient<C, E>) => Promise<void>;
  /** What tells one QEMU from another: `query-uuid`, `query-name`, a pid. Without it `sameInstance` is unknown. */
  readonly identify?: (client: QmpClient<C, E>) => Promise<string>;
  /** Told of each attempt that failed. */
  readonly onAttemptFailed?: (error: unknown) => void;
}

/** `gap`: from `from` to `to` nobody listened, and commands that were under way are of unknown outcome. */
export type SupervisorChange<C, E> =
  | { readonly type: 'connected'; readonly client: QmpClient<C, E> }
  | {
      readonly type: 'gap';
      readonly client: QmpClient<C, E>;
      readonly from: Date;
      readonly to: Date;
      readonly closeInfo: CloseInfo;
      /** False when it is another QEMU on the same socket; undefined without `identify`. */
      readonly sameInstance: boolean | undefined;
    };

interface Loss {
  readonly from: Date;
  readonly closeInfo: CloseInfo;
  readonly identity: string | undefined;
}

/**
 * Keeps a session to a monitor. It reconnects; it never repeats a command: each session is a new client, and what was
 * under way has failed with `outcome: 'unknown'`.
 */
export class QmpSupervisor<C, E> implements AsyncDisposable {
  readonly #connect: (signal: AbortSignal) => Promise<QmpClient<C, E>>;
  readonly #options: SupervisorOptions<C, E>;
  readonly #ending = new AbortController();
  readonly #readers = new Set<EventQueue<SupervisorChange<C, E>>>();
  readonly #waiters = new Set<() => void>();
  readonly #finished: Promise<void>;
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  #delayMs: number;
  #current: QmpClient<C, E> | undefined;

  constructor(connect: (signal: AbortSignal) => Promise<QmpClient<C, E>>, options: SupervisorOptions<C, E> = {}) {
    this.#connect = connect;
    this.#options = options;
    this.#minDelayMs = options.minDelayMs ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 5000;
    this.#delayMs = this.#minDelayMs;
    const end = (): void => this.#ending.abort(options.signal?.reason);
    if (options.signal?.aborted === true) end();
    options.signal?.addEventListener('abort', end, { once: true });
    this.#finished = this.#run().finally(() => options.signal?.removeEventListener('abort', end));
  }

  /** The session of now; `undefined` in a gap. */
  get current(): QmpClient<C, E> | undefined {
    return this.#current;
  }

  /** The session of now, or the next one. @throws QmpAbortedError, QmpClosedError once it is closed. */
  async ready(options: { readonly signal?: AbortSignal } = {}): Promise<QmpClient<C, E>> {
    const fate = { command: 'waiting for a session', sent: false };
    while (this.#current === undefined) {
      if (this.#ending.signal.aborted) throw new QmpClosedError('local', { fate });
      if (options.signal?.aborted === true) throw new QmpAbortedError(fate, options.signal.reason);
      await this.#nextChange(options.signal);
    }
    return this.#current;
  }

  /** Every session that begins from now on, and the gap before it; up to 64 wait to be read, the oldest are dropped. */
  changes(): AsyncIterableIterator<SupervisorChange<C, E>> {
    const queue = new EventQueue<SupervisorChange<C, E>>({ buffer: 64 }, () => this.#readers.delete(queue));
    if (this.#ending.signal.aborted) queue.finish({});
    else this.#readers.add(queue);
    return queue;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    let loss: Loss | undefined;
    while (!signal.aborted) {
      const session = await this.#establish(signal);
      if (session === undefined) break;
      const startedAt = performance.now();
      loss = await this.#live(session.client, session.identity, loss);
      // A QEMU that greets and leaves must not be called in a tight loop.
      if (performance.now() - startedAt > this.#maxDelayMs) this.#delayMs = this.#minDelayMs;
      else await this.#backOff(signal);
    }
    this.#wake();
    for (const reader of [...this.#readers]) reader.finish({});
  }

  /** Tries until there is a session that is in step; `undefined` when it is told to end. */
  async #establish(
    signal: AbortSignal,
  ): Promise<{ client: QmpClient<C, E>; identity: string | undefined } | undefined> {
    const { identify, resync } = this.#options;
    while (!signal.aborted) {
      let client: QmpClient<C, E> | undefined;
      try {
        client = await this.#connect(signal);
        const identity = await identify?.(client);
        await resync?.(client);
        if (client.closeInfo === undefined && !signal.aborted) return { client, identity };
      } catch (error) {
        if (!signal.aborted) this.#options.onAttemptFailed?.(error);
      }
      client?.destroy();
      await this.#backOff(signal);
    }
    return undefined;
  }

  async #backOff(signal: AbortSignal): Promise<void> {
    await pause(this.#delayMs, signal);
    this.#delayMs = Math.min(this.#maxDelayMs, this.#delayMs * 2);
  }

  async #live(client: QmpClient<C, E>, identity: string | undefined, loss: Loss | undefined): Promise<Loss> {
    this.#current = client;
    this.#publish(loss === undefined ? { type: 'connected', client } : gapChange(client, identity, loss));
    const { signal } = this.#ending;
    const end = (): void => void client.close();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const closeInfo = await client.closed;
    signal.removeEventListener('abort', end);
    this.#current = undefined;
    return { from: new Date(), closeInfo, identity };
  }

  #publish(change: SupervisorChange<C, E>): void {
    for (const reader of this.#readers) reader.push(change);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiters.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}

/** Keeps a session; see {@link QmpSupervisor}. `connect` is called for each one. */
export function supervise<C, E>(
  connect: (signal: AbortSignal) => Promise<QmpClient<C, E>>,
  options?: SupervisorOptions<C, E>,
): QmpSupervisor<C, E> {
  return new QmpSupervisor(connect, options);
}

function gapChange<C, E>(
  client: QmpClient<C, E>,
  identity: string | undefined,
  { from, closeInfo, identity: before }: Loss,
): SupervisorChange<C, E> {
  const sameInstance = identity === undefined || before === undefined ? undefined : identity === before;
  return { type: 'gap', client, from, to: new Date(), closeInfo, sameInstance };
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
