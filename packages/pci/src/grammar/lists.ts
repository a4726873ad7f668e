import { Cursor } from './cursor.js';
import { type ParsedDevice, parseDevice } from './device.js';
import { colons, type FunctionAddress, readAddress } from './function-address.js';
import { GrammarError } from './grammar-error.js';

/** More than a host has; what is longer is nothing a person wrote. */
export const maxListedDevices = 512;

/** What `xen-pciback.hide` hides; pciback knows `*` for the device too: `(0000:03:*.*)`. */
export interface HiddenFunctions {
  readonly segment: number;
  readonly bus: number;
  readonly device: number | '*';
  readonly function: number | '*';
  /** Without segment: the kernel takes it, XAPI (which cuts 14 characters for each) does not. */
  readonly short: boolean;
  /** From 1. */
  readonly column: number;
}

/**
 * Reads `(0000:03:00.0)(0000:04:00.*)` (drivers/xen/xen-pciback/pci_stub.c, pcistub_init). One mistake makes the
 * kernel refuse the whole list, and the driver with it.
 *
 * @throws GrammarError
 */
export function parseHiddenFunctions(text: string): HiddenFunctions[] {
  const cursor = new Cursor(text);
  const hidden: HiddenFunctions[] = [];
  cursor.takeSpaces();
  while (!cursor.atEnd) {
    const column = cursor.position + 1;
    const short = /^\([0-9a-f]+:[^:)]*\)/i.test(text.slice(cursor.position, cursor.position + 24));
    cursor.expect('(', 'the beginning of a device');
    const address = readHidden(cursor);
    cursor.expect(')', 'the end of a device');
    cursor.takeSpaces();
    hidden.push({ ...address, short, column });
    if (hidden.length > maxListedDevices) cursor.fail(`more than ${maxListedDevices} devices`, column - 1);
  }
  return hidden;
}

type AnyFunction = Omit<FunctionAddress, 'device'> & { readonly device: number | '*' };

function readHidden(cursor: Cursor): AnyFunction {
  const everyDevice = /^(?:([0-9a-f]{4}):)?([0-9a-f]{2}):\*\.\*(?=\))/i.exec(cursor.text.slice(cursor.position));
  if (everyDevice === null) {
    return readAddress(cursor, { separators: colons, segment: 'optional', wildcard: true });
  }
  cursor.position += everyDevice[0].length;
  const number = (part: string | undefined) => Number.parseInt(part ?? '0', 16);
  return { segment: number(everyDevice[1]), bus: number(everyDevice[2]), device: '*', function: '*' };
}

/** The inverse, in the full form that every reader takes. */
export function formatHiddenFunctions(hidden: readonly AnyFunction[]): string {
  const hex = (value: number | '*', digits: number): string =>
    value === '*' ? '*' : value.toString(16).padStart(digits, '0');
  return hidden
    .map(({ segment, bus, device, function: fn }) => {
      if (segment > 0xffff) throw new RangeError(`pciback cannot name segment ${segment}.`);
      return `(${hex(segment, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn})`;
    })
    .join('');
}

/**
 * Reads `0/0000:03:00.0,0/0000:04:00.0`, the value of other-config:pci.
 *
 * @throws GrammarError in the column of the whole text
 */
export function parseXapiDevices(text: string): ParsedDevice[] {
  const parts = text.split(',');
  if (parts.length > maxListedDevices) {
    const problem = `more than ${maxListedDevices} devices`;
    throw new GrammarError({ text, column: 1, problem, nextStep: 'Name fewer devices.' });
  }
  let start = 0;
  return parts.map((part) => {
    try {
      return parseDevice(part, 'xapi');
    } catch (error) {
      throw error instanceof GrammarError ? shifted(error, text, start) : error;
    } finally {
      start += part.length + 1;
    }
  });
}

function shifted(error: GrammarError, text: string, start: number): GrammarError {
  const { column, problem, nextStep, suggestion } = error;
  return new GrammarError({
    text,
    column: column + start,
    problem,
    ...(suggestion === undefined
      ? { nextStep }
      : { suggestion: text.slice(0, start) + suggestion + text.slice(start + error.text.length) }),
  });
}
