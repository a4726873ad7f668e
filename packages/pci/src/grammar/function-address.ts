import { type Sbdf, formatSbdf, requireXenSegment, sbdfLimits } from '../sbdf.js';
import type { Cursor } from './cursor.js';

/** One function, or all functions of a device. */
export interface FunctionAddress {
  /** 0–0x7fffffff, see {@link Sbdf}. */
  readonly segment: number;
  readonly bus: number;
  readonly device: number;
  /** 0–7, or `*` for every function that is there. */
  readonly function: number | '*';
}

/** Whether there is a function that both name. */
export function overlaps(a: FunctionAddress, b: FunctionAddress): boolean {
  const same = a.segment === b.segment && a.bus === b.bus && a.device === b.device;
  return same && (a.function === b.function || a.function === '*' || b.function === '*');
}

/** What stands between the parts: `0000:03:00.0`, `0000_03_00_0`. */
export interface Separators {
  readonly segment: string;
  readonly bus: string;
  readonly device: string;
}

export const colons: Separators = { segment: ':', bus: ':', device: '.' };

export interface AddressForm {
  readonly separators: Separators;
  /** Whether the segment may be, must be or cannot be there. */
  readonly segment: 'optional' | 'required' | 'none';
  /** `*` for the function is all of them. */
  readonly wildcard: boolean;
  /** `03:00` is all functions of 03:00. */
  readonly bareDevice?: boolean;
}

const busForm = { what: 'bus', digits: 2, max: sbdfLimits.bus } as const;
const deviceForm = { what: 'device', digits: 2, max: sbdfLimits.device } as const;
const functionForm = { what: 'function', digits: 1, max: sbdfLimits.function } as const;
const segmentForm = { what: 'segment', digits: [4, 8], max: sbdfLimits.segment } as const;

/** @throws GrammarError */
export function readAddress(cursor: Cursor, form: AddressForm): FunctionAddress {
  const { separators } = form;
  const segment = startsWithSegment(cursor, form) ? readSegment(cursor, separators) : 0;
  const bus = cursor.hex(busForm);
  cursor.expect(separators.bus, 'the separator');
  const device = cursor.hex(deviceForm);
  if (form.bareDevice && cursor.atEnd) return { segment, bus, device, function: '*' };
  cursor.expect(separators.device, 'the separator');
  if (form.wildcard && cursor.take('*')) return { segment, bus, device, function: '*' };
  return { segment, bus, device, function: cursor.hex(functionForm) };
}

function readSegment(cursor: Cursor, { segment: separator }: Separators): number {
  const start = cursor.position;
  const segment = cursor.hex(segmentForm);
  if (cursor.position - start > 4 && segment <= 0xffff) {
    cursor.fail('a segment up to ffff has 4 hexadecimal digits', start);
  }
  cursor.expect(separator, 'the separator');
  return segment;
}

/** A segment is told from a bus by its digits, or by the separators that follow. */
function startsWithSegment(cursor: Cursor, { segment, separators, bareDevice }: AddressForm): boolean {
  if (segment !== 'optional') return segment === 'required';
  const rest = cursor.text.slice(cursor.position, cursor.position + 24);
  const digits = /^[0-9a-f]*/i.exec(rest)?.[0].length ?? 0;
  if (digits > 2) return true;
  if (separators.segment !== separators.bus || bareDevice) return false;
  const parts = /^[0-9a-f]+(.)[0-9a-f]+(.)/i.exec(rest);
  return parts?.[1] === separators.segment && parts[2] === separators.bus && separators.bus !== separators.device;
}

/** Four digits and more for the segment. */
export function writeAddress(address: FunctionAddress, separators: Separators, withSegment = true): string {
  const { function: fn } = address;
  const checked = formatSbdf({ ...address, function: fn === '*' ? 0 : fn });
  const [segment = '', bus = '', device = ''] = checked.split(/[:.]/);
  const local = `${bus}${separators.bus}${device}${separators.device}${fn}`;
  return withSegment ? `${segment}${separators.segment}${local}` : local;
}

/**
 * The address of the one function that is meant, on Xen.
 *
 * @throws PciError `PCI_SEGMENT_NOT_ON_XEN`
 * @throws RangeError when all functions are meant
 */
export function toXenSbdf(address: FunctionAddress): Sbdf {
  const { segment, bus, device, function: fn } = address;
  if (fn === '*') throw new RangeError(`${writeAddress(address, colons)} names several functions, not one.`);
  const sbdf = { segment, bus, device, function: fn };
  requireXenSegment(sbdf);
  return sbdf;
}
