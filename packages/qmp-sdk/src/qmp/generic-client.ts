import type {
  CommandArgs,
  CommandName,
  CommandRest,
  CommandResult,
  EventName,
  EventOf,
  OobName,
  QmpEvent,
} from './command-map.js';
import { QmpUnsupportedError } from './errors.js';
import { EventQueue, type Ending, type EventStream, type EventStreamOptions } from './event-stream.js';
import { expectEvent, type ExpectOptions } from './expect-event.js';
import { greet, type Handshake } from './handshake.js';
import type { JsonObject } from './json.js';
import {
  resolveOptions,
  type CloseInfo,
  type ExecuteOptions,
  type Greeting,
  type QmpClientOptions,
  type QmpStats,
  type ResolvedOptions,
} from './options.js';
import type { QmpTransport } from './transport.js';

// The DOM's and Node's types have these under names of their own; a program may load either.
type Listener = Parameters<EventTarget['addEventListener']>[1];
type ListenerOptions = Parameters<EventTarget['addEventListener']>[2];

/**
 * A connected, negotiated QMP session.
 *
 * `C` maps command names to their arguments and results, `E` event names to their data. A name that is in no map goes
 * through {@link raw}.
 *
 * @example
 * await using client = await connect({ unix: '/run/vm.qmp' });
 * const { status } = await client.execute('query-status');
 */
export class QmpClient<C, E> extends EventTarget implements AsyncDisposable {
  readonly #handshake: Handshake;
  readonly #options: ResolvedOptions;
  #hasListeners = false;

  protected constructor(handshake: Handshake, options: ResolvedOptions) {
    super();
    this.#handshake = handshake;
    this.#options = options;
    handshake.subscriptions.add(undefined, {
      event: (event) => this.#dispatch(event),
      closed: () => undefined,
    });
  }

  /**
   * Greets and negotiates over a stream that is open already.
   *
   * @throws QmpMonitorBusyError when nobody greets, QmpConnectError when the other side leaves, is no QMP server or
   * refuses the negotiation, QmpAbortedError for `signal`. The transport is closed then.
   */
  static async connect<C, E>(transport: QmpTransport, options: QmpClientOptions = {}): Promise<QmpClient<C, E>> {
    const resolved = resolveOptions(options);
    return new QmpClient<C, E>(await greet(transport, resolved), resolved);
  }

  get greeting(): Greeting {
    return this.#handshake.greeting;
  }

  get oobEnabled(): boolean {
    return this.#handshake.oobEnabled;
  }

  /** Resolves when the connection has ended, however; never rejects. */
  get closed(): Promise<CloseInfo> {
    return this.#handshake.closed;
  }

  get closeInfo(): CloseInfo | undefined {
    return this.#handshake.session.closeInfo;
  }

  get lastEvent(): QmpEvent | undefined {
    return this.#handshake.session.lastEvent;
  }

  get stats(): QmpStats {
    const { session, subscriptions } = this.#handshake;
    return { ...session.stats, droppedEvents: subscriptions.lost };
  }

  /**
   * Executes a command and waits for its reply.
   *
   * @throws QmpCommandError when QEMU refuses, QmpTimeoutError, QmpAbortedError, QmpClosedError, QmpArgumentError,
   * QmpQueueFullError. `sent` and `outcome` of the error say whether it can have been executed.
   */
  execute<N extends CommandName<C>>(
    command: N,
    ...rest: CommandRest<CommandArgs<C, N>, ExecuteOptions>
  ): Promise<CommandResult<C, N>> {
    const [args, options] = rest as [JsonObject | undefined, ExecuteOptions | undefined];
    return this.#run(command, args, options, false) as Promise<CommandResult<C, N>>;
  }

  /**
   * Executes a command out of band: QEMU answers it even while others block its main loop.
   *
   * @throws QmpUnsupportedError when the capability was not negotiated; otherwise as {@link execute}.
   */
  oob<N extends OobName<C>>(
    command: N,
    ...rest: CommandRest<CommandArgs<C, N>, ExecuteOptions>
  ): Promise<CommandResult<C, N>> {
    const [args, options] = rest as [JsonObject | undefined, ExecuteOptions | undefined];
    return this.#run(command, args, options, true) as Promise<CommandResult<C, N>>;
  }

  /** Executes a command of any name. The type of its result is the caller's claim; nothing checks it. */
  raw<R = unknown>(
    command: string,
    args?: JsonObject,
    options: ExecuteOptions & { readonly oob?: boolean } = {},
  ): Promise<R> {
    return this.#run(command, args, options, options.oob === true) as Promise<R>;
  }

  /** Ends QEMU. Resolves on its reply, or when it closed the connection without one. */
  async quit(options?: ExecuteOptions): Promise<void> {
    await this.#run('quit', undefined, options, false);
  }

  /**
   * A bounded live subscription that starts now, not at the first read. Without names it gets every event, also those
   * that no map knows.
   */
  events<N extends EventName<E>>(
    names?: N | readonly N[],
    options: EventStreamOptions<EventOf<E, N>> = {},
  ): EventStream<EventOf<E, N>> {
    let unsubscribe = (): void => undefined;
    const queue = new EventQueue<EventOf<E, N>>(options, () => unsubscribe());
    const { closeInfo } = this;
    if (closeInfo !== undefined) queue.finish(endingOf(closeInfo));
    if (!queue.ended) {
      unsubscribe = this.#handshake.subscriptions.add(typeof names === 'string' ? [names] : names, {
        event: (event) => queue.push(event as EventOf<E, N>),
        closed: (info) => queue.finish(endingOf(info)),
      });
    }
    return queue;
  }

  /**
   * Waits for one event. It subscribes first and calls `after` then, so the event can not be missed.
   *
   * @throws what `after` rejects with, QmpTimeoutError, QmpAbortedError, QmpClosedError, and what `predicate` throws.
   */
  expect<N extends EventName<E>>(
    names: N | readonly N[],
    predicate?: (event: EventOf<E, N>) => boolean,
    options: ExpectOptions = {},
  ): Promise<EventOf<E, N>> {
    const wanted = typeof names === 'string' ? [names] : (names as readonly string[]);
    const { subscriptions, session } = this.#handshake;
    return expectEvent({
      names: wanted,
      predicate: predicate as ((event: QmpEvent) => boolean) | undefined,
      options: { timeoutMs: this.#options.commandTimeoutMs, ...options },
      subscriptions,
      closeInfo: session.closeInfo,
    }) as Promise<EventOf<E, N>>;
  }

  /** Events as DOM events, their type is the name; `detail` is the {@link QmpEvent}. */
  override addEventListener<N extends EventName<E>>(
    name: N,
    listener: (event: CustomEvent<EventOf<E, N>>) => void,
    options?: ListenerOptions,
  ): void;
  override addEventListener(name: string, listener: Listener, options?: ListenerOptions): void;
  override addEventListener(name: string, listener: unknown, options?: ListenerOptions): void {
    this.#hasListeners = true;
    super.addEventListener(name, listener as Listener, options);
  }

  override removeEventListener<N extends EventName<E>>(
    name: N,
    listener: (event: CustomEvent<EventOf<E, N>>) => void,
    options?: EventListenerOptions | boolean,
  ): void;
  override removeEventListener(name: string, listener: Listener, options?: EventListenerOptions | boolean): void;
  override removeEventListener(name: string, listener: unknown, options?: EventListenerOptions | boolean): void {
    super.removeEventListener(name, listener as Listener, options);
  }

  /** Takes no more commands, waits up to `drainTimeoutMs` for replies, then ends. Twice is fine. */
  async close(options: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    const { session } = this.#handshake;
    if (session.closeInfo !== undefined) return;
    const timeoutMs = options.drainTimeoutMs ?? this.#options.drainTimeoutMs;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([session.drain(), tooLong]);
    clearTimeout(timer);
    session.end();
  }

  /** Ends at once; everything that waits rejects with a QmpClosedError of reason `local`. */
  destroy(cause?: unknown): void {
    this.#handshake.session.destroy(cause);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(
    command: string,
    args: JsonObject | undefined | null,
    options: ExecuteOptions = {},
    oob: boolean,
  ): Promise<unknown> {
    if (oob && !this.oobEnabled) {
      throw new QmpUnsupportedError(
        `${command}: out-of-band execution is not negotiated`,
        "Use oob: 'require' when connecting, to a QEMU that offers it.",
      );
    }
    try {
      return await this.#handshake.session.execute(command, args ?? undefined, options, oob);
    } catch (error) {
      // Here, unlike where the reply arrived, the stack leads to the caller.
      if (error instanceof Error) captureStack(error);
      throw error;
    }
  }

  #dispatch(event: QmpEvent): number {
    if (this.#hasListeners) this.dispatchEvent(new CustomEvent(event.event, { detail: event }));
    return 0;
  }
}

function endingOf(info: CloseInfo): Ending {
  return info.reason === 'local' || info.reason === 'quit' ? {} : { error: info.error };
}

function captureStack(error: Error): void {
  const { captureStackTrace } = Error as { captureStackTrace?: (target: object, below: unknown) => void };
  captureStackTrace?.(error, captureStack);
}
