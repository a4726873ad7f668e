import { AbortHub } from './abort-hub.js';
import { Deadlines } from './deadlines.js';
import { QmpAbortedError, QmpCommandError, QmpProtocolError, QmpTimeoutError, type CommandFate } from './errors.js';
import { parseExactJson } from './exact-json.js';
import { maximumNesting, serializeArguments, type JsonObject } from './json.js';
import { replyOf, type Message, type Reply } from './message.js';
import type { ExecuteOptions, ResolvedOptions } from './options.js';
import { PendingQueue, SlotTable, type Pending } from './pending.js';

/** Out-of-band commands have ids of their own: they must not wait for a slot of those that they overtake. */
const maxOobInFlight = 8;

/** Above this QEMU reads a request for a quarter of a second or more (4 us for each byte, measured on 7.2). */
const largeRequestBytes = 64 << 10;

/** What the table calls. */
export interface CommandTableOwner {
  /** One more command waits to be sent. */
  queued(): void;
  /** A command has its reply, or left the queue. */
  settled(): void;
}

/**
 * Every command from `execute` to its reply.
 *
 *   add ─▶ queue ─▶ slot (id) ─▶ frame ─▶ QEMU
 *            │         │                    │
 *   abort: removed   abort: caller released,│
 *     (not sent)     the slot waits for ◀───┘ reply
 */
export class CommandTable {
  readonly #options: ResolvedOptions;
  readonly #owner: CommandTableOwner;
  readonly #queue = new PendingQueue();
  readonly #oobQueue = new PendingQueue();
  readonly #slots: SlotTable;
  readonly #oobSlots: SlotTable;
  readonly #deadlines: Deadlines;
  readonly #signals = new AbortHub();
  #fdInFlight: Pending | undefined;
  /** The id of the command that was sent without it. */
  #loneId: number | undefined;
  /** While the negotiation is with QEMU: the id it said, and the slot it has. */
  #sync: { readonly id: number; readonly slotId: number } | undefined;
  #quitAnswered = false;
  #lateReplies = 0;

  constructor(options: ResolvedOptions, owner: CommandTableOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#slots = new SlotTable(0, options.maxInFlight);
    this.#oobSlots = new SlotTable(options.maxInFlight, maxOobInFlight);
    this.#deadlines = new Deadlines((now) => this.#expire(now));
  }

  get inFlight(): number {
    return this.#slots.used + this.#oobSlots.used;
  }

  get queued(): number {
    return this.#queue.size + this.#oobQueue.size;
  }

  /** Replies that nobody waited for any more. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Takes a command in. @throws QmpArgumentError */
  add(
    command: string,
    args: JsonObject | undefined,
    options: ExecuteOptions,
    oob: boolean,
    syncId?: number,
  ): Promise<unknown> {
    const request = args !== undefined && isEmptyObject(args) ? undefined : args;
    const frameHead = this.#frameHead(command, request, oob);
    const { timeoutMs = this.#options.commandTimeoutMs, fd, signal } = options;
    const now = performance.now();
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        command,
        request,
        syncId,
        frameHead,
        oob,
        fd,
        timeoutMs,
        deadline: now + timeoutMs,
        slowAt: this.#options.onWarning === undefined ? Infinity : now + this.#options.slowWarningMs,
        resolve,
        reject,
        state: 'queued',
        release: undefined,
        previous: undefined,
        next: undefined,
      };
      if (signal !== undefined) this.#hook(pending, signal);
      (oob ? this.#oobQueue : this.#queue).push(pending);
      this.#deadlines.add(Math.min(pending.deadline, pending.slowAt));
      this.#owner.queued();
    });
  }

  /** Hands out the frames of every command that QEMU may have now: one text for many, one for each with an fd. */
  send(write: (text: string, fd?: number) => void): void {
    let text = '';
    for (const [queue, slots] of [
      [this.#oobQueue, this.#oobSlots],
      [this.#queue, this.#slots],
    ] as const) {
      for (let pending = queue.first; pending !== undefined && slots.hasFree; pending = queue.first) {
        // QEMU keeps one received descriptor for each command at most, and takes them in order.
        if (pending.fd !== undefined && this.#fdInFlight !== undefined) break;
        const frame = this.#frame(queue, slots, pending);
        if (pending.fd === undefined) text += frame;
        else {
          if (text !== '') write(text);
          text = '';
          this.#fdInFlight = pending;
          write(frame, pending.fd);
        }
      }
    }
    if (text !== '') write(text);
  }

  /** Gives a reply to who waits for it. @throws QmpProtocolError when nobody does. */
  settle(message: Message): void {
    if (this.#sync !== undefined) return this.#settleSync(message, this.#sync);
    const reply = replyOf(message, this.#loneId);
    const lone = message['id'] === undefined;
    const mistaken = !lone && reply.id === this.#loneId;
    const pending = mistaken ? undefined : (this.#slots.release(reply.id) ?? this.#oobSlots.release(reply.id));
    if (pending === undefined) {
      throw new QmpProtocolError('unknown-id', `a reply has the id ${reply.id}, which no command waits for`);
    }
    if (lone) this.#loneId = undefined;
    this.#conclude(pending, reply);
  }

  /**
   * QEMU gives the reply to a command whose client has gone to the next client, even after its greeting (seen on 7.2
   * and 10.0). It answers in order: after the reply to the negotiation nothing of another client can come.
   */
  #settleSync(message: Message, sync: { readonly id: number; readonly slotId: number }): void {
    // QEMU says an id-less error when it can not read what it is sent: then there is nothing to wait for.
    const unreadable = message['id'] === undefined && message['error'] !== undefined;
    if (message['id'] !== sync.id && !unreadable) {
      this.#lateReplies += 1;
      const text = "a reply to another client's command came before the negotiation";
      this.#options.onWarning?.({ kind: 'late-reply', command: 'qmp_capabilities', message: text });
      return;
    }
    const reply = replyOf(message);
    const pending = this.#slots.release(sync.slotId);
    this.#sync = undefined;
    if (pending !== undefined) this.#conclude(pending, reply);
  }

  #conclude(pending: Pending, reply: Reply): void {
    if (this.#fdInFlight === pending) this.#fdInFlight = undefined;
    if (pending.command === 'quit' && reply.error === undefined) this.#quitAnswered = true;
    if (pending.state === 'settled') this.#dropLate(pending);
    else if (reply.error === undefined) conclude(pending).resolve(reply.value);
    else {
      const { errorClass, desc } = reply.error;
      conclude(pending).reject(new QmpCommandError(pending.command, pending.request, errorClass, desc));
    }
    this.#owner.settled();
  }

  /** QEMU may close before its reply to `quit` is written: the end is the answer. @returns whether it was to quit. */
  settleQuit(): boolean {
    let quitting = this.#quitAnswered;
    for (const pending of this.#slots) {
      if (pending.command !== 'quit') continue;
      quitting = true;
      if (pending.state !== 'settled') conclude(pending).resolve({});
    }
    return quitting;
  }

  /** Rejects everything that waits; nothing is to come any more. */
  end(errorFor: (fate: CommandFate) => Error): void {
    this.#deadlines.stop();
    for (const group of [this.#slots, this.#oobSlots, this.#queue, this.#oobQueue]) {
      for (const pending of group) {
        if (pending.state === 'settled') continue;
        const error = errorFor({ command: pending.command, sent: pending.state === 'sent' });
        conclude(pending).reject(error);
      }
    }
  }

  #frameHead(command: string, args: JsonObject | undefined, oob: boolean): string {
    const name = JSON.stringify(command);
    const head = oob ? `{"exec-oob":${name}` : `{"execute":${name}`;
    const frame = args === undefined ? head : `${head},"arguments":${serializeArguments(args)}`;
    if (frame.length > largeRequestBytes) {
      const message = `${command} is ${frame.length} bytes long; QEMU reads it byte by byte`;
      this.#options.onWarning?.({ kind: 'large-request', command, message });
    }
    return frame;
  }

  #frame(queue: PendingQueue, slots: SlotTable, pending: Pending): string {
    const { maxInFlight, omitLoneId, terminator } = this.#options;
    const next = maxInFlight === 1 || this.queued === 1;
    const alone = omitLoneId && canOmitId(pending) && this.inFlight === 0 && next;
    queue.remove(pending);
    pending.state = 'sent';
    const id = slots.take(pending);
    if (pending.syncId !== undefined) this.#sync = { id: pending.syncId, slotId: id };
    else if (alone) this.#loneId = id;
    const said = pending.syncId ?? (alone ? undefined : id);
    const frame = `${pending.frameHead}${said === undefined ? '' : `,"id":${said}`}}`;
    this.#options.transcript?.record('>', requestMessage(frame));
    return frame + terminator;
  }

  #hook(pending: Pending, signal: AbortSignal): void {
    const abort = (): void =>
      this.#giveUp(pending, (sent) => new QmpAbortedError({ command: pending.command, sent }, signal.reason));
    pending.release = this.#signals.add(signal, abort);
  }

  /** The caller is done with it. In the queue it never existed; with QEMU it keeps its id until the reply. */
  #giveUp(pending: Pending, error: (sent: boolean) => Error): void {
    if (pending.state === 'settled') return;
    const sent = pending.state === 'sent';
    if (!sent) (pending.oob ? this.#oobQueue : this.#queue).remove(pending);
    conclude(pending).reject(error(sent));
    if (!sent) this.#owner.settled();
  }

  #dropLate(pending: Pending): void {
    this.#lateReplies += 1;
    const message = `the reply to ${pending.command} came after its caller had given up`;
    this.#options.onWarning?.({ kind: 'late-reply', command: pending.command, message });
  }

  /** @returns when it has to be called next. */
  #expire(now: number): number {
    let next = Infinity;
    for (const group of [this.#queue, this.#oobQueue, this.#slots, this.#oobSlots]) {
      for (const pending of group) {
        if (pending.state === 'settled') continue;
        if (pending.deadline <= now) {
          const { command, timeoutMs } = pending;
          this.#giveUp(pending, (sent) => new QmpTimeoutError({ command, sent }, timeoutMs));
          continue;
        }
        if (pending.slowAt <= now) this.#warnSlow(pending);
        next = Math.min(next, pending.deadline, pending.slowAt);
      }
    }
    return next;
  }

  #warnSlow(pending: Pending): void {
    pending.slowAt = Infinity;
    const message = `${pending.command} has no reply after ${this.#options.slowWarningMs} ms`;
    this.#options.onWarning?.({ kind: 'slow-command', command: pending.command, message });
  }
}

/** From here on the caller has its answer; the slot, if any, may still wait for QEMU's. */
function conclude(pending: Pending): Pending {
  pending.state = 'settled';
  pending.release?.();
  return pending;
}

/**
 * QEMU answers in-band commands in order, so one that it has alone needs no id. But what it can not read is an error
 * without id as well: only a request that it can not fail to read may go without.
 */
function canOmitId({ command, request, oob }: Pending): boolean {
  return !oob && request === undefined && plainName.test(command);
}

const plainName = /^[\w-]+$/;

/** Its absence says the same in 15 bytes less. */
function isEmptyObject(args: JsonObject): boolean {
  return Object.getPrototypeOf(args) === Object.prototype && Object.keys(args).length === 0;
}

function requestMessage(frame: string): Message {
  return parseExactJson(frame, { unsafeIntegers: 'bigint', maxNesting: maximumNesting }) as Message;
}
