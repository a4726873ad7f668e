/** Stable identifiers of what went wrong; callers branch on these, never on the sentence. */
export type DeviceModelErrorCode =
  | 'DEVICE_MODEL_ALREADY_ATTACHED'
  | 'DEVICE_MODEL_ATTACH_FAILED'
  | 'DEVICE_MODEL_BAR_UNALIGNED'
  | 'DEVICE_MODEL_CLOSED'
  | 'DEVICE_MODEL_DEADLINE'
  | 'DEVICE_MODEL_NOT_ATTACHED'
  | 'DEVICE_MODEL_RELEASE_INCOMPLETE'
  | 'DEVICE_MODEL_SLOT_IN_USE'
  | 'DEVICE_MODEL_SLOT_INVALID'
  | 'DEVICE_MODEL_START_FAILED'
  | 'DEVICE_MODEL_STATE_UNREADABLE'
  | 'DEVICE_MODEL_WORKER_DIED';

export interface DeviceModelErrorDetails {
  readonly cause?: unknown;
  /** The step that failed, in the words of the README's attach order. */
  readonly step?: string;
  /** What is still held after a release that did not finish, one phrase each. */
  readonly left?: readonly string[];
  /** Every failure met on the way, when there was more than one. */
  readonly errors?: readonly unknown[];
}

/** Base class of everything this package throws on purpose. */
export class DeviceModelError extends Error {
  override readonly name = 'DeviceModelError';
  readonly code: DeviceModelErrorCode;
  readonly step: string | undefined;
  readonly left: readonly string[];
  readonly errors: readonly unknown[];

  constructor(code: DeviceModelErrorCode, message: string, details: DeviceModelErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.step = details.step;
    this.left = details.left ?? [];
    this.errors = details.errors ?? [];
  }
}

/** The sentence of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
