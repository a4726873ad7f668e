import type { QmpEvent } from '../qmp/command-map.js';
import { QmpAbortedError } from '../qmp/errors.js';
import type { EventStream } from '../qmp/event-stream.js';
import type { QmpMonitor, WaitOptions } from './monitor.js';

export const DEFAULT_POLL_INTERVAL_MS = 1000;
/**
 * The last look gets this long to be answered: a QEMU that is merely busy is not to be taken for one that is dead.
 */
const SHORTEST_POLL_MS = 1000;
/** Beyond this a timer fires at once (HTML, "timer initialization steps"; Node the same). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Observation<T> extends WaitOptions {
  /** For errors: what is waited for. */
  readonly what: string;
  readonly events: readonly string[];
  readonly where?: (event: QmpEvent) => boolean;
  /** What an event means; `undefined` when it does not end the waiting. Default: ask the state at once. */
  readonly onEvent?: (event: QmpEvent) => T | undefined | Promise<T | undefined>;
  /** What the state says; `undefined` when it does not end the waiting. Runs when no event came for an interval. */
  readonly poll: (timeoutMs: number | undefined) => T | undefined | Promise<T | undefined>;
  /** Without it, as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/** Nothing ended the waiting in time. */
export const expired = Symbol('expired');

/**
 * Waits for something that QEMU tells by an event and that can be asked for as well. It listens from its
 * construction on, so that nothing is missed between a command and the waiting for its effect: an event may precede
 * the reply to the command that caused it.
 */
export class Observer<T> implements Disposable {
  readonly #monitor: QmpMonitor;
  readonly #observation: Observation<T>;
  readonly #stream: EventStream<QmpEvent>;
  #next: Promise<IteratorResult<QmpEvent>> | undefined;

  constructor(monitor: QmpMonitor, observation: Observation<T>) {
    this.#monitor = monitor;
    this.#observation = observation;
    const { events, where = () => true } = observation;
    this.#stream = monitor.events(undefined, { where: (event) => events.includes(event.event) && where(event) });
  }

  /**
   * @returns what `onEvent` or `poll` found, or {@link expired}.
   * @throws QmpClosedError when the connection ends; QmpAbortedError at the signal; what `onEvent` and `poll`
   * throw.
   */
  async settle(): Promise<T | typeof expired> {
    const { timeoutMs = Infinity, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS } = this.#observation;
    const deadline = performance.now() + timeoutMs;
    const { poll, onEvent = () => poll(remaining()) } = this.#observation;
    const remaining = () =>
      timeoutMs === Infinity ? undefined : Math.max(SHORTEST_POLL_MS, deadline - performance.now());
    for (;;) {
      const event = await this.#nextEvent(Math.min(pollIntervalMs, deadline - performance.now()));
      const found = event === undefined ? await poll(remaining()) : await onEvent(event);
      if (found !== undefined) return found;
      if (performance.now() >= deadline) return expired;
    }
  }

  close(): void {
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The next event, or undefined when none came within `durationMs`. */
  async #nextEvent(durationMs: number): Promise<QmpEvent | undefined> {
    const { signal, what } = this.#observation;
    // Kept across intervals: an event that comes while the state is asked for is read by the next call.
    const next = (this.#next ??= keep(this.#stream.next()));
    const result = await raceTimer(next, durationMs, signal, what);
    if (result === undefined) return undefined;
    this.#next = undefined;
    if (result.done === true) throw (await this.#monitor.closed).error;
    return result.value;
  }
}

/** A rejection is seen by whoever awaits it next; until then it is not "unhandled". */
export function keep<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** @throws QmpAbortedError at the signal. */
export async function raceTimer<T>(
  promise: Promise<T>,
  durationMs: number,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T | undefined> {
  const aborted = () => new QmpAbortedError({ command: what, sent: true }, signal?.reason);
  if (signal?.aborted === true) throw aborted();
  let stop: () => void = () => {};
  const interruption = new Promise<undefined>((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), Math.min(Math.max(0, durationMs), LONGEST_TIMER_MS));
    const abort = () => reject(aborted());
    signal?.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([promise, interruption]);
  } finally {
    stop();
  }
}
