export interface XenptErrorOptions {
  /** What the person who sees this can do about it, as one sentence. */
  readonly next: string;
  readonly cause?: unknown;
}

/**
 * Base of every error of this package. `code` is stable and meant for programs; `message` says what failed, `cause`
 * why, `next` what to do.
 */
export class XenptError extends Error {
  readonly code: string;
  readonly next: string;

  constructor(code: string, message: string, options: XenptErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'XenptError';
    this.code = code;
    this.next = options.next;
  }
}
