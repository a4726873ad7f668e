import { XenptError, type XenptErrorOptions } from '../errors.js';

/** The stable codes of the helpers' own errors; those of the client (`QMP_…`) pass through unchanged. */
export const QmpOperationErrorCode = {
  jobFailed: 'QMP_JOB_FAILED',
  jobCancelled: 'QMP_JOB_CANCELLED',
  jobVanished: 'QMP_JOB_VANISHED',
  unplugRefused: 'QMP_UNPLUG_REFUSED',
  unplugPending: 'QMP_UNPLUG_PENDING',
  migrationFailed: 'QMP_MIGRATION_FAILED',
  migrationCancelled: 'QMP_MIGRATION_CANCELLED',
  notMeasured: 'QMP_NOT_MEASURED',
  notAllowed: 'QMP_NOT_ALLOWED',
  unexpectedResult: 'QMP_UNEXPECTED_RESULT',
} as const;
export type QmpOperationErrorCode = (typeof QmpOperationErrorCode)[keyof typeof QmpOperationErrorCode];

/**
 * An operation of several commands came to an end that is not the wanted one. That a command was refused, or that
 * the connection was lost, is told by the client's own errors.
 */
export class QmpOperationError extends XenptError {
  declare readonly code: QmpOperationErrorCode;

  constructor(code: QmpOperationErrorCode, message: string, options: XenptErrorOptions) {
    super(code, message, options);
    this.name = 'QmpOperationError';
  }
}

/** What QEMU returned is not what its own schema promises: it is broken, or not QEMU. */
export function unexpectedResult(command: string, expected: string): QmpOperationError {
  return new QmpOperationError(QmpOperationErrorCode.unexpectedResult, `${command} returned no ${expected}`, {
    next: 'Check which program serves this monitor; a guest that took over its QEMU can answer anything.',
  });
}
