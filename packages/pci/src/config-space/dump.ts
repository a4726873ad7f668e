import { PciError } from '../errors.js';
import { type Sbdf, formatSbdf, parseSbdf } from '../sbdf.js';

/** One function of a file with configuration spaces. */
export interface DumpedFunction {
  /** Null in a file that has the bytes alone. */
  readonly sbdf: Sbdf | null;
  /** What the file says the function is; empty where it says nothing. */
  readonly title: string;
  /** 64, 256 or 4096 bytes, or what else the file has: {@link requireWhole} tells. */
  readonly config: Uint8Array;
  /** Vendor and device as the title names them (`lspci -n`, `-nn`); null where it does not. */
  readonly ids: { readonly vendorId: number; readonly deviceId: number } | null;
  /** Sizes of BARs in bytes, by address, as far as the file names them (`lspci -v`). */
  readonly sizes: ReadonlyMap<bigint, bigint>;
  /** The line that names it, from 1; 0 in a raw image. */
  readonly line: number;
}

const wholeLengths: readonly number[] = [64, 256, 4096];
const mostConfigBytes = 4096;
const rowBytes = 16;

const nameLine = /^((?:[0-9a-f]{4,}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?:\s+(.*))?$/i;
const rowLine = /^([0-9a-f]{2,3}):(?=\s|$)/i;
const idsInTitle = /(?:\[([0-9a-f]{4}):([0-9a-f]{4})\]|^[0-9a-f]{4}: ([0-9a-f]{4}):([0-9a-f]{4}))/gi;
const rangeLine =
  /^\s+(?:Region \d+: )?(?:Memory|I\/O ports|Expansion ROM) at ([0-9a-f]+)\b.*\[size=(\d+)([KMGT]?)\]/i;
const unitShift: Readonly<Record<string, bigint>> = { '': 0n, K: 10n, M: 20n, G: 30n, T: 40n };

/** A function while its lines are read. */
interface Draft {
  readonly sbdf: Sbdf | null;
  readonly title: string;
  readonly line: number;
  readonly bytes: number[];
  readonly sizes: Map<bigint, bigint>;
}

/**
 * Reads what `lspci -x`, `-xxx` or `-xxxx` prints, of one function or of many, with or without `-v`, `-n` and `-nn`; or
 * the bytes of one configuration space as they are.
 *
 * @throws {@link PciError} `PCI_DUMP_SYNTAX` with line and column
 */
export function parseConfigDump(file: Uint8Array): DumpedFunction[] {
  const text = decodeText(file);
  if (text === null) {
    const raw = { sbdf: null, title: '', config: file, ids: null, sizes: new Map<bigint, bigint>(), line: 0 };
    requireWhole(raw);
    return [raw];
  }
  const drafts: Draft[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) readLine(drafts, line, index + 1);
  const functions = drafts.map(finish);
  if (functions.some(({ config }) => config.length > 0)) return functions;
  throw dumpError(
    1,
    1,
    functions.length === 0 ? 'here is neither a function nor a row of its bytes' : 'no function has any bytes',
  );
}

/**
 * An image can be decoded when it is whole.
 *
 * @throws {@link PciError} `PCI_DUMP_SYNTAX`
 */
export function requireWhole({ sbdf, config, line }: DumpedFunction): void {
  if (wholeLengths.includes(config.length)) return;
  const name = sbdf === null ? 'the image' : formatSbdf(sbdf);
  throw dumpError(line, 1, `${name} has ${config.length} bytes, not 64, 256 or 4096`);
}

/** Null when these are bytes, not text. */
function decodeText(file: Uint8Array): string | null {
  if (file.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch {
    return null;
  }
}

function readLine(drafts: Draft[], line: string, number: number): void {
  const [, name, title = ''] = nameLine.exec(line) ?? [];
  if (name !== undefined) {
    const sbdf = addressOf(name);
    drafts.push({ sbdf, title: sbdf === null ? line : title, line: number, bytes: [], sizes: new Map() });
    return;
  }
  const row = rowLine.exec(line)?.[1];
  if (row !== undefined) {
    if (drafts.length === 0) drafts.push({ sbdf: null, title: '', line: number, bytes: [], sizes: new Map() });
    readRow(drafts.at(-1)?.bytes ?? [], line, { number, start: Number.parseInt(row, 16), column: row.length + 1 });
    return;
  }
  const [, address, size, unit = ''] = rangeLine.exec(line) ?? [];
  if (address === undefined || size === undefined) return;
  drafts.at(-1)?.sizes.set(BigInt(`0x${address}`), BigInt(size) << (unitShift[unit.toUpperCase()] ?? 0n));
}

/** Null of what looks like an address and is none: device numbers end at 1f. */
function addressOf(text: string): Sbdf | null {
  try {
    return parseSbdf(text);
  } catch {
    return null;
  }
}

function readRow(
  bytes: number[],
  line: string,
  { number, start, column }: { readonly number: number; readonly start: number; readonly column: number },
): void {
  if (start !== bytes.length) {
    throw dumpError(number, 1, `the row at ${start.toString(16)} stands where ${bytes.length.toString(16)} belongs`);
  }
  const found = [...line.slice(column).matchAll(/\S+/g)];
  for (const [index, { 0: text, index: at }] of found.entries()) {
    const place = column + at + 1;
    if (!/^[0-9a-f]{2}$/i.test(text)) throw dumpError(number, place, `${JSON.stringify(text)} is no byte`);
    if (index === rowBytes) throw dumpError(number, place, `a row has ${rowBytes} bytes`);
    if (bytes.length === mostConfigBytes) {
      throw dumpError(number, place, `a function has ${mostConfigBytes} bytes at most`);
    }
    bytes.push(Number.parseInt(text, 16));
  }
  if (found.length < rowBytes) {
    throw dumpError(number, line.length + 1, `the row has ${found.length} bytes, not ${rowBytes}`);
  }
}

function finish({ sbdf, title, line, bytes, sizes }: Draft): DumpedFunction {
  const ids = [...title.matchAll(idsInTitle)].at(-1);
  const [vendor, device] = [ids?.[1] ?? ids?.[3], ids?.[2] ?? ids?.[4]];
  return {
    sbdf,
    title,
    config: Uint8Array.from(bytes),
    ids:
      vendor === undefined || device === undefined
        ? null
        : { vendorId: Number.parseInt(vendor, 16), deviceId: Number.parseInt(device, 16) },
    sizes,
    line,
  };
}

function dumpError(line: number, column: number, problem: string): PciError {
  const where = line === 0 ? '' : `Line ${line}, column ${column}: `;
  return new PciError('PCI_DUMP_SYNTAX', {
    problem: `${where}${problem}.`.replace(/^./, (first) => first.toUpperCase()),
    nextStep:
      'Write the file anew, as root: lspci -vnnxxxx -s BDF > FILE, or cp /sys/bus/pci/devices/BDF/config FILE.',
  });
}
