import { XenptError } from '../errors.js';

/** Refusals and failures of a dirty-rate measurement. The strings are stable: programs may compare them. */
export const DirtyRateErrorCode = {
  quantity: 'DIRTY_RATE_QUANTITY',
  range: 'DIRTY_RATE_RANGE',
  noSamples: 'DIRTY_RATE_NO_SAMPLES',
  tooLarge: 'DIRTY_RATE_TOO_LARGE',
  file: 'DIRTY_RATE_FILE',
  unsupported: 'DIRTY_RATE_UNSUPPORTED',
  sourceFailed: 'DIRTY_RATE_SOURCE_FAILED',
} as const;
export type DirtyRateErrorCode = (typeof DirtyRateErrorCode)[keyof typeof DirtyRateErrorCode];

export class DirtyRateError extends XenptError {
  declare readonly code: DirtyRateErrorCode;

  constructor(
    code: DirtyRateErrorCode,
    message: string,
    options: { readonly next: string; readonly cause?: unknown },
  ) {
    super(code, message, options);
    this.name = 'DirtyRateError';
  }
}
