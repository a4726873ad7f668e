import { Cursor } from './cursor.js';
import { type Dialect, dialectOf, dialects } from './dialects.js';
import type { FunctionAddress } from './function-address.js';
import { GrammarError } from './grammar-error.js';
import { suggestDevice } from './suggest.js';
import type { XlOptions } from './xl-options.js';

/** A device, as one of the dialects names it. */
export interface DeviceSpec {
  /** Left out when xl's `name=` stands for it. */
  readonly address?: FunctionAddress;
  /** The name given by `xl pci-assignable-add -n`. */
  readonly name?: string;
  /** Slot on bus 0 of the guest, 0–1f. xl: `@SLOT` or `vslot=`, always hexadecimal. */
  readonly virtualSlot?: number;
  /** xl's; empty in every other dialect. */
  readonly options: XlOptions;
  /** The domain that has the device, for Qubes: `dom0`. */
  readonly backend?: string;
  /** The number before the slash, for XAPI: the order of the devices. */
  readonly order?: number;
}

export interface ParsedDevice extends DeviceSpec {
  readonly dialect: Dialect;
}

/**
 * Reads one device in any dialect, strictly.
 *
 * @param text without spaces around it
 * @param dialect expects this one; left out, the text's own shape decides
 * @throws GrammarError with the column, and what was probably meant
 */
export function parseDevice(text: string, dialect?: Dialect): ParsedDevice {
  try {
    return readDevice(text, dialect);
  } catch (error) {
    if (error instanceof GrammarError) throw withSuggestion(error, (candidate) => isDevice(candidate, dialect));
    throw error;
  }
}

function readDevice(text: string, dialect?: Dialect): ParsedDevice {
  const cursor = new Cursor(text);
  const found = dialect ?? dialectOf(text);
  const spec = dialects[found].read(cursor);
  cursor.expectEnd();
  return { dialect: found, ...spec };
}

function isDevice(text: string, dialect?: Dialect): boolean {
  try {
    readDevice(text, dialect);
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes a device in a dialect; `parseDevice` reads it back.
 *
 * @throws RangeError when the dialect cannot say it
 */
export function formatDevice(spec: DeviceSpec, dialect: Dialect = 'canonical'): string {
  return dialects[dialect].write(spec);
}

/** What is suggested has been read by the same reader, so it is never wrong too. */
function withSuggestion(error: GrammarError, isRight: (candidate: string) => boolean): GrammarError {
  const { text, column, problem } = error;
  if (error.suggestion !== undefined && isRight(error.suggestion)) return error;
  const suggestion = suggestDevice(text, isRight);
  if (suggestion === undefined && error.suggestion === undefined) return error;
  return new GrammarError({ text, column, problem, ...(suggestion === undefined ? {} : { suggestion }) });
}
