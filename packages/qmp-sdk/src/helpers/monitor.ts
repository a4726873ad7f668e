import type { ExecuteOptions } from '../qmp/options.js';
import type { QmpEvent } from '../qmp/command-map.js';
import type { Commands } from '../types/index.js';
import type { QmpClosedError } from '../qmp/errors.js';
import type { EventStream, EventStreamOptions } from '../qmp/event-stream.js';
import type { JsonObject } from '../qmp/json.js';

/** What the helpers need of a connection: every `QmpClient` is one, and so is what {@link restrict} makes of it. */
export interface QmpMonitor {
  raw<R = unknown>(
    command: string,
    args?: JsonObject,
    options?: ExecuteOptions & { readonly oob?: boolean },
  ): Promise<R>;
  /** All events: which names there are differs from one map of events to the next. */
  events(names?: undefined, options?: EventStreamOptions<QmpEvent>): EventStream<QmpEvent>;
  /** Resolves, never rejects, when the connection has ended. */
  readonly closed: Promise<{ readonly error: QmpClosedError }>;
}

/** What a command of QEMU returns, by the types generated from its schema. */
export type ResultOf<N extends keyof Commands> = Commands[N]['result'];

/** What every helper that waits takes. */
export interface WaitOptions {
  /** What aborting does is said at each helper. */
  readonly signal?: AbortSignal;
  /** How often the state is asked for while no event comes; what is lost with an event is found so. */
  readonly pollIntervalMs?: number;
}
