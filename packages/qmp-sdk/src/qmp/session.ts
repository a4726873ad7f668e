import { CommandTable } from './command-table.js';
import type { QmpEvent } from './command-map.js';
import {
  QmpAbortedError,
  QmpArgumentError,
  QmpClosedError,
  QmpProtocolError,
  QmpQueueFullError,
  QmpUnsupportedError,
  type CloseReason,
} from './errors.js';
import { MessageFramer } from './framer.js';
import type { JsonObject } from './json.js';
import { eventOf, parseMessage, type Message } from './message.js';
import type { CloseInfo, ExecuteOptions, QmpStats, ResolvedOptions } from './options.js';
import type { QmpTransport } from './transport.js';

const beyondAscii = /[\u0080-\uffff]/;

/** The commands that take a file descriptor. With any other it would stay with QEMU for the next `getfd`. */
const fdCommands: ReadonlySet<string> = new Set(['getfd', 'add-fd']);

/** Above the ids of any client that counts from 0; nine digits. */
const firstSyncId = 100_000_000;

export interface SessionListener {
  greeting(greeting: unknown): void;
  event(event: QmpEvent): void;
  closed(info: CloseInfo): void;
}

/** One connection: what goes out, what comes in, and how it ends. The first thing that is wrong ends it. */
export class QmpSession {
  readonly #transport: QmpTransport;
  readonly #options: ResolvedOptions;
  readonly #listener: SessionListener;
  readonly #framer: MessageFramer;
  readonly #commands: CommandTable;
  readonly #counters = { events: 0, bytesRead: 0, bytesWritten: 0 };
  #flushScheduled = false;
  #draining = false;
  #drained: (() => void) | undefined;
  #closeInfo: CloseInfo | undefined;
  #lastEvent: QmpEvent | undefined;

  constructor(transport: QmpTransport, options: ResolvedOptions, listener: SessionListener) {
    this.#transport = transport;
    this.#options = options;
    this.#listener = listener;
    this.#framer = new MessageFramer(options.maxMessageBytes);
    this.#commands = new CommandTable(options, {
      queued: () => this.#scheduleFlush(),
      settled: () => (this.#commands.queued > 0 ? this.#scheduleFlush() : this.#tellIfDrained()),
    });
  }

  get closeInfo(): CloseInfo | undefined {
    return this.#closeInfo;
  }

  get lastEvent(): QmpEvent | undefined {
    return this.#lastEvent;
  }

  get stats(): Omit<QmpStats, 'droppedEvents'> {
    const { inFlight, queued, lateReplies } = this.#commands;
    return { inFlight, queued, lateReplies, ...this.#counters };
  }

  open(): void {
    this.#transport.open({
      data: (latin1) => this.#receive(latin1),
      closed: (reason, cause) => this.#lost(reason, cause),
    });
  }

  /** Rejects, or throws at once what is wrong before anything is sent. */
  execute(command: string, args: JsonObject | undefined, options: ExecuteOptions, oob: boolean): Promise<unknown> {
    this.#refuseIfNotPossible(command, options);
    return this.#commands.add(command, args, options, oob);
  }

  /** The first command: with an id of its own, so that a reply meant for an earlier client is not taken for it. */
  negotiate(args: JsonObject | undefined, options: ExecuteOptions): Promise<unknown> {
    const syncId = firstSyncId + Math.floor(Math.random() * firstSyncId);
    this.#refuseIfNotPossible('qmp_capabilities', options);
    return this.#commands.add('qmp_capabilities', args, options, false, syncId);
  }

  /** Takes no more commands; resolves when everything accepted has its reply, or the session has ended. */
  drain(): Promise<void> {
    this.#draining = true;
    return new Promise((resolve) => {
      const before = this.#drained;
      this.#drained = () => {
        before?.();
        resolve();
      };
      this.#tellIfDrained();
    });
  }

  /** Ends this side; what was written leaves if nothing is under way. Everything that waits is rejected. */
  end(): void {
    if (this.#closeInfo !== undefined) return;
    const idle = this.#isIdle;
    if (idle) this.#transport.end();
    this.#finish('local', undefined, !idle);
  }

  /** Ends this side at once. */
  destroy(cause?: unknown): void {
    this.#finish('local', cause, true);
  }

  get #isIdle(): boolean {
    return this.#commands.inFlight + this.#commands.queued === 0;
  }

  #refuseIfNotPossible(command: string, options: ExecuteOptions): void {
    const fate = { command, sent: false };
    if (this.#closeInfo !== undefined) {
      const { reason, lastEvent, error } = this.#closeInfo;
      throw new QmpClosedError(reason, { lastEvent, fate, cause: error.cause });
    }
    if (this.#draining) throw new QmpClosedError('local', { fate, lastEvent: this.#lastEvent });
    if (options.signal?.aborted === true) throw new QmpAbortedError(fate, options.signal.reason);
    if (this.#commands.queued >= this.#options.maxQueued) {
      throw new QmpQueueFullError(command, this.#options.maxQueued);
    }
    if (options.fd !== undefined) this.#refuseFd(command);
  }

  #refuseFd(command: string): void {
    if (!fdCommands.has(command)) {
      throw new QmpArgumentError('fd', `${command} takes no file descriptor`, 'Use getfd or add-fd.');
    }
    if (this.#transport.passesFds === true) return;
    throw new QmpUnsupportedError(
      `${this.#transport.description} can not pass file descriptors`,
      'Connect to a Unix socket with passFds: true, or hand them to QEMU when it starts (-add-fd).',
    );
  }

  /**
   * Commands that are executed in one turn leave in few writes, and the other side has work meanwhile: whenever half as
   * many wait here as it has, they go. In one write at the end of the turn each side would wait for the other.
   */
  #scheduleFlush(): void {
    const { queued, inFlight } = this.#commands;
    if (queued * 2 >= inFlight) this.#flush();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closeInfo !== undefined) return;
    try {
      this.#commands.send((text, fd) => this.#write(text, fd));
    } catch (error) {
      this.#fail('local', error);
    }
  }

  #write(text: string, fd?: number): void {
    if (this.#closeInfo !== undefined) return;
    this.#counters.bytesWritten += beyondAscii.test(text) ? new TextEncoder().encode(text).length : text.length;
    try {
      this.#transport.write(text, fd);
    } catch (cause) {
      this.#fail('reset', cause);
    }
  }

  #receive(latin1: string): void {
    if (this.#closeInfo !== undefined) return;
    this.#counters.bytesRead += latin1.length;
    try {
      this.#framer.push(latin1, (text) => {
        this.#dispatch(parseMessage(text, this.#options));
        return this.#closeInfo === undefined;
      });
    } catch (error) {
      this.#fail(blameFor(error), error);
    }
  }

  #dispatch(message: Message): void {
    this.#options.transcript?.record('<', message);
    if (message['event'] !== undefined) {
      this.#counters.events += 1;
      this.#lastEvent = eventOf(message);
      this.#listener.event(this.#lastEvent);
    } else if (message['QMP'] !== undefined) this.#listener.greeting(message['QMP']);
    else this.#commands.settle(message);
  }

  #lost(reason: 'eof' | 'reset', cause: unknown): void {
    const cut = this.#framer.pendingBytes;
    const truncated =
      cut > 0 ? new QmpProtocolError('truncated', `it ended ${cut} bytes into a message`, { cause }) : cause;
    this.#fail(reason, truncated);
  }

  #fail(reason: CloseReason, cause: unknown): void {
    const quitting = (reason === 'eof' || reason === 'reset') && this.#commands.settleQuit();
    this.#finish(quitting ? 'quit' : reason, cause, true);
  }

  #finish(reason: CloseReason, cause: unknown, destroy: boolean): void {
    if (this.#closeInfo !== undefined) return;
    const lastEvent = this.#lastEvent;
    this.#closeInfo = { reason, error: new QmpClosedError(reason, { lastEvent, cause }), lastEvent };
    if (destroy) this.#transport.destroy();
    this.#commands.end((fate) => new QmpClosedError(reason, { lastEvent, cause, fate }));
    this.#drained?.();
    this.#listener.closed(this.#closeInfo);
  }

  #tellIfDrained(): void {
    if (this.#draining && this.#isIdle) this.#drained?.();
  }
}

/** An error that is not about the protocol comes from a callback of this side. */
function blameFor(error: unknown): CloseReason {
  if (!(error instanceof QmpProtocolError)) return 'local';
  return error.kind === 'too-large' ? 'too-large' : 'protocol';
}
