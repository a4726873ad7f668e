// Three classes: `instanceof` tells the kind of mistake as the built-in classes do, `code` tells which one it is.
//
//   CoreError                         something the caller's arguments are not to blame for
//   CoreRangeError extends RangeError an argument of the right kind and a wrong value
//   CoreTypeError  extends TypeError  an argument of the wrong kind

/** Stable: a code keeps its meaning in all later versions. */
export type CoreErrorCode =
  | 'CORE_ARGUMENT_RANGE'
  | 'CORE_ARGUMENT_TYPE'
  | 'CORE_ASSERTION'
  | 'CORE_MASKS'
  | 'CORE_MEMORY_LIMIT'
  | 'CORE_POOL_CLOSED'
  | 'CORE_UNSUPPORTED'
  | 'CORE_WORKER_DIED';

export class CoreError extends Error {
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CoreError';
    this.code = code;
  }
}

export class CoreRangeError extends RangeError {
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string) {
    super(message);
    this.name = 'CoreRangeError';
    this.code = code;
  }
}

export class CoreTypeError extends TypeError {
  readonly code: CoreErrorCode = 'CORE_ARGUMENT_TYPE';

  constructor(message: string) {
    super(message);
    this.name = 'CoreTypeError';
  }
}
