import type { QmpEvent } from './command-map.js';
import type { CloseReason, QmpClosedError } from './errors.js';
import type { UnsafeIntegers } from './exact-json.js';
import { maximumNesting } from './json.js';
import type { Transcript } from './transcript.js';

/** Something that is no error yet. */
export interface QmpWarning {
  readonly kind: 'slow-command' | 'large-request' | 'late-reply';
  readonly command: string;
  readonly message: string;
}

export interface QmpClientOptions {
  /** Ends connecting; a connected client does not look at it. */
  readonly signal?: AbortSignal;
  /** For dialling with its retries, the greeting and the negotiation together; 5000. */
  readonly connectTimeoutMs?: number;
  /** For each command from `execute` to its reply, and for `expect`; 30 000, Infinity for none. */
  readonly commandTimeoutMs?: number;
  /** How long `close` waits for replies in flight; 1000. */
  readonly drainTimeoutMs?: number;
  /** Out-of-band execution: negotiated if offered (`auto`), demanded, or left alone. */
  readonly oob?: 'auto' | 'require' | 'never';
  /**
   * Commands that QEMU has at the same time; 8, more would block its out-of-band path (qmp-spec 2.3.1). With one, none
   * needs an id.
   */
  readonly maxInFlight?: number;
  /** Commands that wait in this client; 65 536, then `execute` rejects with QmpQueueFullError. */
  readonly maxQueued?: number;
  /** 64 MiB, the limit of QEMU's own parser (`MAX_TOKEN_SIZE`). */
  readonly maxMessageBytes?: number;
  /** 1024, as QEMU (`MAX_NESTING`). */
  readonly maxNesting?: number;
  /** Integers beyond 2^53 from QEMU: exact as `bigint`, rounded as `number`, or an `error` that ends the session. */
  readonly unsafeIntegers?: UnsafeIntegers;
  /** After each command; '' because QEMU needs none and reads its input byte by byte. Line based peers need '\n'. */
  readonly terminator?: '' | '\n' | '\r\n';
  /**
   * Leaves out the id of a command without arguments that QEMU has alone: 7 bytes less to read byte by byte (some 30 us
   * on QEMU 7.2); true. Such a request can not be misread, so an error without id is about it. False for a stream that
   * somebody else writes to as well: what QEMU could not read of theirs would be taken for a refusal of ours.
   */
  readonly omitLoneId?: boolean;
  /** Everything said is recorded here. */
  readonly transcript?: Transcript;
  readonly onWarning?: (warning: QmpWarning) => void;
  /** A command that takes longer is reported as `slow-command`; 5000. */
  readonly slowWarningMs?: number;
}

export type ResolvedOptions = Required<Omit<QmpClientOptions, 'signal' | 'transcript' | 'onWarning'>> &
  Pick<QmpClientOptions, 'signal' | 'transcript' | 'onWarning'>;

const defaults = {
  connectTimeoutMs: 5000,
  commandTimeoutMs: 30_000,
  drainTimeoutMs: 1000,
  oob: 'auto',
  maxInFlight: 8,
  maxQueued: 65_536,
  maxMessageBytes: 64 << 20,
  maxNesting: maximumNesting,
  unsafeIntegers: 'bigint',
  terminator: '',
  omitLoneId: true,
  slowWarningMs: 5000,
} as const;

/** @throws RangeError for a limit that is no positive number. */
export function resolveOptions(options: QmpClientOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved: ResolvedOptions = { ...defaults, ...given };
  for (const name of ['maxInFlight', 'maxQueued', 'maxMessageBytes', 'maxNesting'] as const) {
    const value = resolved[name];
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} is ${value}, not an integer from 1 on`);
  }
  for (const name of ['connectTimeoutMs', 'commandTimeoutMs', 'drainTimeoutMs', 'slowWarningMs'] as const) {
    if (!(resolved[name] >= 0)) throw new RangeError(`${name} is ${resolved[name]}, not a number of milliseconds`);
  }
  return resolved;
}

/** What QEMU says first (qmp-spec 2.2). */
export interface Greeting {
  readonly version: {
    readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number };
    readonly package: string;
  };
  readonly capabilities: readonly string[];
}

export interface ExecuteOptions {
  /** Gives up waiting. What was sent is not undone. */
  readonly signal?: AbortSignal;
  /** From `execute` to the reply, with the time in the queue; Infinity for none. */
  readonly timeoutMs?: number;
  /** A file descriptor for `getfd` or `add-fd`, over a transport that passes them. It stays open here. */
  readonly fd?: number;
}

export interface QmpStats {
  /** Commands that QEMU has, with those whose caller gave up. */
  readonly inFlight: number;
  /** Commands that wait in this client. */
  readonly queued: number;
  readonly events: number;
  /** Events that some subscriber did not read in time. */
  readonly droppedEvents: number;
  /** Replies that came after their caller had given up. */
  readonly lateReplies: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** How a connection ended. */
export interface CloseInfo {
  readonly reason: CloseReason;
  /** What everything that waited was rejected with, but for its command. */
  readonly error: QmpClosedError;
  readonly lastEvent: QmpEvent | undefined;
}
