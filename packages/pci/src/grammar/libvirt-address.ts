import { sbdfLimits } from '../sbdf.js';
import type { Cursor } from './cursor.js';
import type { FunctionAddress } from './function-address.js';

const parts = { domain: 'segment', bus: 'bus', slot: 'device', function: 'function' } as const;
type Attribute = keyof typeof parts;

/** Reads `<address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>`, attributes in any order. */
export function readLibvirtAddress(cursor: Cursor): FunctionAddress {
  cursor.expect('<address', 'the beginning');
  const values = new Map<Attribute, number>();
  for (;;) {
    const start = cursor.position;
    cursor.takeSpaces();
    if (cursor.take('/>')) break;
    if (cursor.position === start) cursor.fail('a space or "/>" is expected');
    readAttribute(cursor, values);
  }
  const value = (attribute: Attribute): number => {
    const found = values.get(attribute);
    if (found === undefined) cursor.fail(`${attribute} is missing`);
    return found ?? 0;
  };
  return {
    segment: values.get('domain') ?? 0,
    bus: value('bus'),
    device: value('slot'),
    function: value('function'),
  };
}

function readAttribute(cursor: Cursor, values: Map<Attribute, number>): void {
  const at = cursor.position;
  const name = cursor.takeUntil('= />');
  cursor.expect('=', 'the sign');
  const quote = cursor.peek() === '"' ? '"' : "'";
  cursor.expect(quote, 'the quote');
  const valueAt = cursor.position;
  const text = cursor.takeUntil(quote);
  cursor.expect(quote, 'the quote');
  if (name === 'type' && text === 'pci') return;
  if (!Object.hasOwn(parts, name)) cursor.fail(`"${name}" is no part of a PCI address`, at);
  const attribute = name as Attribute;
  if (values.has(attribute)) cursor.fail(`${name} is given twice`, at);
  const mistake = libvirtNumberMistake(attribute, text);
  if (mistake !== undefined) cursor.fail(mistake.problem, valueAt);
  values.set(attribute, Number.parseInt(text.replace(/^0x/i, ''), 16));
}

/**
 * Why a number of a libvirt address is wrong; undefined if it is right. libvirt reads `0x` as hexadecimal, a leading
 * zero as octal and the rest as decimal, so a number of two digits without `0x` is seldom what its writer meant.
 */
export function libvirtNumberMistake(
  attribute: Attribute,
  text: string,
): { readonly problem: string; readonly ambiguous: boolean } | undefined {
  const max = sbdfLimits[parts[attribute]];
  const hexadecimal = /^0x[0-9a-f]{1,8}$/i.test(text);
  if (!hexadecimal && !/^[0-9]{1,10}$/.test(text)) {
    return { problem: `${attribute} is "${text}", which is not a number such as 0x1f`, ambiguous: false };
  }
  if (!hexadecimal && text.length > 1 && Number(text) > 7) {
    const octal = text.startsWith('0') && /^[0-7]+$/.test(text);
    const value = Number.parseInt(text, octal ? 8 : 10).toString(16);
    const problem = `${attribute} is "${text}", which libvirt reads as 0x${value}: write 0x before hexadecimal digits`;
    return { problem, ambiguous: true };
  }
  const value = Number.parseInt(text.replace(/^0x/i, ''), 16);
  if (value <= max) return undefined;
  return { problem: `${attribute} ${text} does not exist: the highest is 0x${max.toString(16)}`, ambiguous: false };
}

/** As `virsh` prints it. */
export function writeLibvirtAddress({ segment, bus, device, function: fn }: FunctionAddress): string {
  const hex = (value: number | '*', digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;
  const place = `domain='${hex(segment, 4)}' bus='${hex(bus, 2)}' slot='${hex(device, 2)}'`;
  return `<address ${place} function='${hex(fn, 1)}'/>`;
}
