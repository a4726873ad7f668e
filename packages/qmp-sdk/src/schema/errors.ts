import { XenptError } from '../errors.js';

/** What was given as a schema, a snapshot of one, or a path into one is not that. `code`: `QMP_SCHEMA`. */
export class QmpSchemaError extends XenptError {
  constructor(
    message: string,
    next = 'Give it the unchanged reply of query-qmp-schema, or a snapshot of this package.',
  ) {
    super('QMP_SCHEMA', message, { next });
    this.name = 'QmpSchemaError';
  }
}

/** This QEMU lacks what {@link QmpSchema.require} was asked for. `code`: `QMP_MISSING_IN_SCHEMA`. */
export class QmpMissingInSchemaError extends XenptError {
  /** The path that the schema does not have. */
  readonly path: string;

  constructor(path: string, nearest: string) {
    super('QMP_MISSING_IN_SCHEMA', `This QEMU has no "${path}"${nearest === '' ? '' : `; it has "${nearest}"`}.`, {
      next: 'Use a QEMU that has it, or ask schema.has() first and do without.',
    });
    this.name = 'QmpMissingInSchemaError';
    this.path = path;
  }
}
