import type { QmpEvent } from './command-map.js';
import { QmpAbortedError, QmpClosedError, QmpTimeoutError } from './errors.js';
import { errorOf } from './event-stream.js';
import type { CloseInfo } from './options.js';
import type { Subscriptions } from './subscriptions.js';

export interface ExpectOptions {
  /** What causes the event; called once the subscription stands. */
  readonly after?: () => unknown;
  readonly signal?: AbortSignal;
  /** As long as a command may take when left out; Infinity for none. */
  readonly timeoutMs?: number;
}

interface Expectation {
  readonly names: readonly string[];
  readonly predicate: ((event: QmpEvent) => boolean) | undefined;
  readonly options: ExpectOptions & { readonly timeoutMs: number };
  readonly subscriptions: Subscriptions;
  readonly closeInfo: CloseInfo | undefined;
}

// A longer delay would make setTimeout fire at once.
const longestTimerMs = 2 ** 31 - 1;

/** Resolves with the first event that fits; everything it hooked into is unhooked in any case. */
export async function expectEvent(expectation: Expectation): Promise<QmpEvent> {
  const { names, predicate, subscriptions, closeInfo } = expectation;
  const { after, signal, timeoutMs } = expectation.options;
  const fate = { command: `waiting for ${names.join(' or ')}`, sent: false };
  if (closeInfo !== undefined)
    throw new QmpClosedError(closeInfo.reason, { ...closeInfo, fate, cause: closeInfo.error.cause });
  if (signal?.aborted === true) throw new QmpAbortedError(fate, signal.reason);

  let release = (): void => undefined;
  const arrived = new Promise<QmpEvent>((resolve, reject) => {
    const unsubscribe = subscriptions.add(names, {
      event(event) {
        try {
          if (predicate === undefined || predicate(event)) resolve(event);
        } catch (error) {
          reject(errorOf(error));
        }
        return 0;
      },
      closed: ({ reason, lastEvent, error }) =>
        reject(new QmpClosedError(reason, { lastEvent, fate, cause: error.cause })),
    });
    const abort = (): void => reject(new QmpAbortedError(fate, signal?.reason));
    signal?.addEventListener('abort', abort, { once: true });
    const timer =
      timeoutMs > longestTimerMs
        ? undefined
        : setTimeout(() => reject(new QmpTimeoutError(fate, timeoutMs)), timeoutMs);
    release = () => {
      unsubscribe();
      signal?.removeEventListener('abort', abort);
      clearTimeout(timer);
    };
  });
  try {
    if (after === undefined) return await arrived;
    // Whichever fails first decides; the event may well come before `after` is done.
    const [event] = await Promise.all([arrived, Promise.resolve().then(after)]);
    return event;
  } finally {
    release();
  }
}
