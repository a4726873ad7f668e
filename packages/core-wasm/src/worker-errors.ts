// Structured cloning keeps neither the class of our errors nor their code. This does.
import { CoreError, CoreRangeError, CoreTypeError, type CoreErrorCode } from './errors.js';

/** An error as it crosses from thread to thread. */
export interface EncodedError {
  /** Which class makes it again; not `name`, which anybody may set. */
  readonly kind: ErrorKind;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly cause: EncodedError | undefined;
}

/** An error's cause may have one itself, and in a damaged chain be its own: so deep is looked. */
const MAXIMUM_CAUSES = 8;

type Remake = (message: string, options: ErrorOptions, code: CoreErrorCode) => Error;

/** From the special to the general: the first that fits is taken. */
const kinds = [
  ['CoreRangeError', CoreRangeError, (message, _, code) => new CoreRangeError(code, message)],
  ['CoreTypeError', CoreTypeError, (message) => new CoreTypeError(message)],
  ['CoreError', CoreError, (message, options, code) => new CoreError(code, message, options)],
  ['RuntimeError', WebAssembly.RuntimeError, (message) => new WebAssembly.RuntimeError(message)],
  ['RangeError', RangeError, (message, options) => new RangeError(message, options)],
  ['TypeError', TypeError, (message, options) => new TypeError(message, options)],
  ['Error', Error, (message, options) => new Error(message, options)],
] as const satisfies readonly (readonly [string, abstract new (...args: never[]) => Error, Remake])[];

type ErrorKind = (typeof kinds)[number][0];

/** Whatever was thrown, in a form that can be posted. */
export function encodeError(thrown: unknown, depth = 0): EncodedError {
  const error =
    thrown instanceof Error ? thrown : new Error(`something was thrown that is no error: ${String(thrown)}`);
  const [kind] = kinds.find(([, errorClass]) => error instanceof errorClass) ?? (['Error'] as const);
  const hasCause = error.cause !== undefined && depth < MAXIMUM_CAUSES;
  return {
    kind,
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: 'code' in error ? error.code : undefined,
    cause: hasCause ? encodeError(error.cause, depth + 1) : undefined,
  };
}

/** The same error in this thread: its class, name, message, code, cause, and the stack of where it happened. */
export function decodeError(encoded: EncodedError): Error {
  const cause = encoded.cause && decodeError(encoded.cause);
  const remake: Remake = kinds.find(([kind]) => kind === encoded.kind)?.[2] ?? ((message) => new Error(message));
  const error = remake(encoded.message, cause ? { cause } : {}, encoded.code as CoreErrorCode);
  if (cause && error.cause === undefined) Object.defineProperty(error, 'cause', hidden(cause));
  if (encoded.name !== error.name) Object.defineProperty(error, 'name', hidden(encoded.name));
  if (encoded.stack !== undefined) Object.defineProperty(error, 'stack', hidden(encoded.stack));
  if (encoded.code !== undefined && !('code' in error)) {
    Object.defineProperty(error, 'code', { ...hidden(encoded.code), enumerable: true });
  }
  return error;
}

/** As the engine makes an error's own properties. */
function hidden(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false };
}
