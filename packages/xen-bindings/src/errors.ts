import { constants } from 'node:os';
import { hintFor } from './call-hints.js';

/** Stable values of {@link XenError.code}. */
export const XenErrorCode = {
  /** The addon, a library, a function of it or a device node is not there. */
  unavailable: 'XEN_UNAVAILABLE',
  /** A C function was called and failed. */
  callFailed: 'XEN_CALL_FAILED',
  /** The handle was closed before. */
  closed: 'XEN_CLOSED',
  /** `complete()` for a vCPU whose request is not open. */
  ioreqNotOpen: 'XEN_IOREQ_NOT_OPEN',
  /** An ioreq server's page names no event channel, because the server is not enabled or has fewer vCPUs. */
  ioreqNotEnabled: 'XEN_IOREQ_NOT_ENABLED',
  /** A xenstore transaction met a conflict every time it was tried. */
  transactionConflict: 'XEN_TRANSACTION_CONFLICT',
} as const;
export type XenErrorCode = (typeof XenErrorCode)[keyof typeof XenErrorCode];

/**
 * ```
 * Error
 * └─ XenError                 anything this package refuses or could not do; `code` is stable
 *    ├─ XenUnavailableError   not possible on this machine as it is; `nextStep` says what to do
 *    └─ XenCallError          Xen or the kernel refused; `call` and `errnoName` say what and why
 * ```
 * Wrong arguments are `TypeError` (kind) and `RangeError` (value).
 */
export class XenError extends Error {
  readonly code: XenErrorCode;

  constructor(code: XenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Something that must be there is missing. */
export class XenUnavailableError extends XenError {
  /**
   * What is missing: a library (`libxenctrl`), a function, a device node (`/dev/xen/evtchn`) or the addon's path.
   */
  readonly missing: string;
  /** What to do about it, as an imperative sentence. */
  readonly nextStep: string;

  constructor(missing: string, reason: string, nextStep: string, options?: ErrorOptions) {
    super(XenErrorCode.unavailable, `${missing}: ${reason}. Next step: ${nextStep}.`, options);
    this.missing = missing;
    this.nextStep = nextStep;
  }
}

/** A C function returned failure. */
export class XenCallError extends XenError {
  /** Name of the C function, e.g. `xc_assign_device`. */
  readonly call: string;
  /** Linux errno; 0 if the function gave none. */
  readonly errno: number;
  /** Its symbol, e.g. `EBUSY`; `UNKNOWN` if it has none. */
  readonly errnoName: string;

  constructor(call: string, errno: number, detail = '', options?: ErrorOptions) {
    const errnoName = errnoNameOf(errno);
    const hint = hintFor(call, errnoName);
    const logged = detail === '' ? '' : `; libxen says: ${detail}`;
    super(XenErrorCode.callFailed, `${call} failed with ${errnoName} (${errno})${hint}${logged}`, options);
    this.call = call;
    this.errno = errno;
    this.errnoName = errnoName;
  }
}

/** Symbol of a Linux errno, e.g. 16 is `EBUSY`. */
export function errnoNameOf(errno: number): string {
  // Linux has two names for 95; this is the one that Xen uses (xen/include/public/errno.h).
  if (errno === constants.errno.EOPNOTSUPP) return 'EOPNOTSUPP';
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? 'UNKNOWN';
}

/** What the addon throws (native/error.h). */
interface NativeError extends Error {
  readonly kind: 'call' | 'library' | 'symbol' | 'closed' | 'ioreq-not-open' | 'ioreq-not-enabled';
  readonly call?: string;
  readonly errno?: number;
  readonly detail?: string;
  readonly library?: string;
  readonly symbol?: string;
  readonly vcpu?: number;
}

function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && 'kind' in error;
}

/** The error of this package for what the addon threw; anything else, such as a RangeError, as it is. */
export function fromNative(error: unknown): unknown {
  if (!isNativeError(error)) return error;
  switch (error.kind) {
    case 'call':
      return new XenCallError(error.call ?? '?', error.errno ?? 0, error.detail);
    case 'library':
      return new XenUnavailableError(`lib${error.library ?? '?'}`, 'not loaded', 'open a handle of it first');
    case 'symbol':
      return new XenUnavailableError(
        `${error.symbol ?? '?'} of lib${error.library ?? '?'}`,
        'this release of the library has no such function',
        'install the Xen tools that belong to the running hypervisor',
      );
    case 'closed':
      return new XenError(XenErrorCode.closed, 'the handle is closed; open a new one');
    case 'ioreq-not-open':
      return new XenError(
        XenErrorCode.ioreqNotOpen,
        `vCPU ${error.vcpu ?? '?'} has no open request; complete each vCPU that next() returned exactly once`,
      );
    case 'ioreq-not-enabled':
      return new XenError(
        XenErrorCode.ioreqNotEnabled,
        `vCPU ${error.vcpu ?? '?'} has no event channel in the ioreq page; map the page (ForeignMemory.mapResource), ` +
          'then disable and enable the server, and ask nrVcpus() for the number of vCPUs',
      );
  }
}

/** Runs a call into the addon and turns what it throws into this package's errors. */
export function calling<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw fromNative(error);
  }
}
