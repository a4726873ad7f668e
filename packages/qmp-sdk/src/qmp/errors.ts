import { XenptError, type XenptErrorOptions } from '../errors.js';
import type { QmpEvent } from './command-map.js';

/*
 * QmpError
 * ├─ QmpCommandError      QEMU understood the command and refused it
 * ├─ QmpTimeoutError      no answer in time; what happened is not known when it had been sent
 * ├─ QmpAbortedError      the caller's signal; the same
 * ├─ QmpClosedError       the connection ended while this waited
 * ├─ QmpProtocolError     the other side broke the protocol (the cause of a QmpClosedError)
 * ├─ QmpConnectError      no session came to be: dial, greeting or negotiation
 * │  └─ QmpMonitorBusyError   another client has this monitor
 * ├─ QmpArgumentError     this can not be sent; nothing was
 * ├─ QmpUnsupportedError  this connection or runtime can not do it
 * ├─ QmpQueueFullError    too many commands wait already
 * └─ QmpEventOverflowError    a subscriber with `overflow: 'error'` was too slow
 */

/** The stable codes of this client's errors; programs may compare them. */
export const QmpErrorCode = {
  command: 'QMP_COMMAND',
  timeout: 'QMP_TIMEOUT',
  aborted: 'QMP_ABORTED',
  closed: 'QMP_CLOSED',
  protocol: 'QMP_PROTOCOL',
  connect: 'QMP_CONNECT',
  monitorBusy: 'QMP_MONITOR_BUSY',
  argument: 'QMP_ARGUMENT',
  unsupported: 'QMP_UNSUPPORTED',
  queueFull: 'QMP_QUEUE_FULL',
  eventOverflow: 'QMP_EVENT_OVERFLOW',
} as const;
export type QmpErrorCode = (typeof QmpErrorCode)[keyof typeof QmpErrorCode];

/** Base of every error of the QMP client. */
export class QmpError extends XenptError {
  declare readonly code: QmpErrorCode;

  constructor(code: QmpErrorCode, message: string, options: XenptErrorOptions) {
    super(code, message, options);
    this.name = new.target.name;
  }
}

/** Whether a command that has no reply can have been executed: never when it was not sent. */
export type CommandOutcome = 'not-sent' | 'unknown';

/** What a failed wait knows of its command. */
export interface CommandFate {
  /** The command, or what else was waited for. */
  readonly command: string;
  /** Whether the command was handed to the transport. */
  readonly sent: boolean;
}

const outcomeOf = (sent: boolean): CommandOutcome => (sent ? 'unknown' : 'not-sent');
const nextAfter = (sent: boolean): string =>
  sent ? 'It may have been executed: query the state before trying again.' : 'It was not sent: it can be repeated.';

/** QEMU's answer to one command is an error (qmp-spec 2.4.2). */
export class QmpCommandError extends QmpError {
  /** `GenericError`, `CommandNotFound`, `DeviceNotFound`, `DeviceNotActive`, `KVMMissingCap`. */
  readonly errorClass: string;
  /** QEMU's sentence, for people; it changes between versions. */
  readonly desc: string;
  readonly command: string;
  /** The arguments, not enumerable: they may hold secrets. */
  declare readonly request: unknown;

  constructor(command: string, request: unknown, errorClass: string, desc: string) {
    super(QmpErrorCode.command, `${command}: ${desc} (${errorClass})`, { next: nextForClass(errorClass) });
    this.errorClass = errorClass;
    this.desc = desc;
    this.command = command;
    Object.defineProperty(this, 'request', { value: request, enumerable: false });
  }
}

function nextForClass(errorClass: string): string {
  if (errorClass === 'CommandNotFound')
    return 'Ask query-commands: this QEMU may be older, or the run state forbids it.';
  if (errorClass === 'DeviceNotFound') return 'List the devices: it may have another id, or be gone already.';
  return 'Correct the arguments, or query the state that the command needs.';
}

/** True for QEMU's error answers, of one class if it is given. */
export function isCommandError(error: unknown, errorClass?: string): error is QmpCommandError {
  return error instanceof QmpCommandError && (errorClass === undefined || error.errorClass === errorClass);
}

/** Nothing came in time. An aborted or late command keeps its id until its reply arrives, which is then dropped. */
export class QmpTimeoutError extends QmpError {
  readonly command: string;
  readonly timeoutMs: number;
  readonly sent: boolean;
  readonly outcome: CommandOutcome;

  constructor(fate: CommandFate, timeoutMs: number) {
    super(QmpErrorCode.timeout, `${fate.command}: no answer within ${timeoutMs} ms`, { next: nextAfter(fate.sent) });
    this.command = fate.command;
    this.timeoutMs = timeoutMs;
    this.sent = fate.sent;
    this.outcome = outcomeOf(fate.sent);
  }
}

/** The caller's `AbortSignal` fired; `cause` is its reason, `name` is `AbortError` as elsewhere. */
export class QmpAbortedError extends QmpError {
  readonly command: string;
  readonly sent: boolean;
  readonly outcome: CommandOutcome;

  constructor(fate: CommandFate, cause: unknown) {
    super(QmpErrorCode.aborted, `${fate.command}: aborted by the caller`, { next: nextAfter(fate.sent), cause });
    this.name = 'AbortError';
    this.command = fate.command;
    this.sent = fate.sent;
    this.outcome = outcomeOf(fate.sent);
  }
}

/**
 * Why a connection ended: this side (`local`), after `quit`, the other side closed (`eof`) or vanished (`reset`), it
 * broke the protocol (`protocol`), or a message was longer than allowed (`too-large`).
 */
export type CloseReason = 'local' | 'quit' | 'eof' | 'reset' | 'protocol' | 'too-large';

const closeSentences: Readonly<Record<CloseReason, string>> = {
  local: 'this side closed the connection',
  quit: 'QEMU has quit',
  eof: 'QEMU closed the connection',
  reset: 'the connection broke',
  protocol: 'QEMU broke the protocol',
  'too-large': 'QEMU sent more than is allowed',
};

export interface ClosedErrorOptions {
  readonly lastEvent?: QmpEvent | undefined;
  readonly cause?: unknown;
  readonly fate?: CommandFate;
}

/** The connection ended while this waited, or had ended before. */
export class QmpClosedError extends QmpError {
  readonly reason: CloseReason;
  readonly command: string | undefined;
  readonly sent: boolean;
  readonly outcome: CommandOutcome;
  /** The last event before the end: `SHUTDOWN` tells a shutdown from a crash. */
  readonly lastEvent: QmpEvent | undefined;

  constructor(reason: CloseReason, options: ClosedErrorOptions = {}) {
    const { fate, cause } = options;
    const what = cause instanceof Error ? `${closeSentences[reason]}: ${cause.message}` : closeSentences[reason];
    super(QmpErrorCode.closed, fate === undefined ? what : `${fate.command}: ${what}`, {
      next: fate === undefined ? 'Connect again and query the state.' : nextAfter(fate.sent),
      cause,
    });
    this.reason = reason;
    this.command = fate?.command;
    this.sent = fate?.sent ?? false;
    this.outcome = outcomeOf(this.sent);
    this.lastEvent = options.lastEvent;
  }
}

/** How the other side broke the protocol. */
export type ProtocolErrorKind =
  'syntax' | 'encoding' | 'nesting' | 'too-large' | 'truncated' | 'shape' | 'no-id' | 'unknown-id' | 'unsafe-integer';

/** What the other side sent is no QMP, or answers nothing. It ends the connection: nothing after it is sure. */
export class QmpProtocolError extends QmpError {
  readonly kind: ProtocolErrorKind;

  constructor(kind: ProtocolErrorKind, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(QmpErrorCode.protocol, message, {
      next: options.next ?? 'Check that this is a QMP monitor and that nobody else writes to the same stream.',
      cause: options.cause,
    });
    this.kind = kind;
  }
}

export type ConnectPhase = 'dial' | 'greeting' | 'negotiate';

/** No session came to be. `cause` is the last failure. */
export class QmpConnectError extends QmpError {
  readonly phase: ConnectPhase;

  constructor(phase: ConnectPhase, message: string, options: XenptErrorOptions, code?: QmpErrorCode) {
    super(code ?? QmpErrorCode.connect, message, options);
    this.phase = phase;
  }
}

/** A monitor serves one client at a time, and another one has it: the connection is accepted but never greeted. */
export class QmpMonitorBusyError extends QmpConnectError {
  /** The process that holds the monitor, where the system tells. */
  readonly holderPid: number | undefined;

  constructor(target: string, timeoutMs: number, holderPid: number | undefined, cause?: unknown) {
    const who =
      holderPid === undefined
        ? 'probably held by another client, or QEMU is stopped'
        : `held by process ${holderPid}`;
    super(
      'greeting',
      `${target}: no greeting within ${timeoutMs} ms, the monitor is ${who}`,
      { next: 'End the other client, or give QEMU a second monitor (-qmp) for this one.', cause },
      QmpErrorCode.monitorBusy,
    );
    this.holderPid = holderPid;
  }
}

/** An argument that QMP can not carry. Nothing was sent. */
export class QmpArgumentError extends QmpError {
  /** Where: `arguments.file.size`. */
  readonly path: string;

  constructor(path: string, message: string, next: string) {
    super(QmpErrorCode.argument, `${path}: ${message}`, { next });
    this.path = path;
  }
}

/** This connection, or this runtime, can not do it. */
export class QmpUnsupportedError extends QmpError {
  constructor(message: string, next: string, cause?: unknown) {
    super(QmpErrorCode.unsupported, message, { next, cause });
  }
}

export class QmpQueueFullError extends QmpError {
  constructor(command: string, maxQueued: number) {
    super(QmpErrorCode.queueFull, `${command}: ${maxQueued} commands wait already`, {
      next: 'Await some of them first, or raise maxQueued.',
    });
  }
}

export class QmpEventOverflowError extends QmpError {
  constructor(buffer: number) {
    super(QmpErrorCode.eventOverflow, `more than ${buffer} events waited to be read`, {
      next: 'Read faster, raise buffer, or allow events to be dropped.',
    });
  }
}
