import type { CapabilityDescription, CapabilityListing, DescribedField, DescribedRegister } from '@xenpt/pci';
import { hex } from './json.js';
import type { Style } from './style.js';
import { PLAIN_COLUMNS, wrapPieces, wrapWords } from './wrap.js';

const OFFSET_COLUMNS = 7;
const LABEL_COLUMNS = 8;

/**
 * Every capability as `lspci -vvv` has it, with what it means for passthrough:
 *
 *     0xa0   MSI-X  5 vectors, table in BAR 3 at 0x0
 *            guest   The guest has a table of its own …
 *            0xa2   messageControl   0x0004  tableSize 5, functionMask-, enable-
 */
export function formatCapabilities(listing: CapabilityListing, style: Style, columns = PLAIN_COLUMNS): string {
  const { capabilities, faults } = listing;
  const blocks = capabilities.map((capability) => formatCapability(capability, style, columns).join('\n'));
  const ends = faults.map((fault) => {
    const lines = wrapWords(`${fault}; what comes after it is not decoded`, columns - OFFSET_COLUMNS);
    return lines.map((line, index) => (index === 0 ? style.warning('broken ') : ' '.repeat(OFFSET_COLUMNS)) + line);
  });
  const all = [...blocks, ...ends.map((lines) => lines.join('\n'))];
  return all.length === 0 ? '' : [style.strong('CAPABILITIES'), all.join('\n\n')].join('\n');
}

function formatCapability(capability: CapabilityDescription, style: Style, columns: number): string[] {
  const { offset, name, version, summary, visible, meaning, remarks, registers } = capability;
  const title = version === null ? style.strong(name) : `${style.strong(name)}  ${style.faint(`v${version}`)}`;
  const titleColumns = OFFSET_COLUMNS + name.length + (version === null ? 0 : 2 + `v${version}`.length) + 2;
  const [first = '', ...others] = summary === null ? [] : wrapWords(summary, columns - titleColumns);
  const label = (text: string) => text.padEnd(LABEL_COLUMNS);
  const sentence = (head: string, text: string) =>
    wrapWords(text, columns - OFFSET_COLUMNS - LABEL_COLUMNS).map((line, index) =>
      indent(`${index === 0 ? head : ' '.repeat(LABEL_COLUMNS)}${line}`),
    );
  return [
    `${place(offset)}${title}  ${first}`.trimEnd(),
    ...others.map((line) => ' '.repeat(titleColumns) + line),
    ...sentence(visible ? style.good(label('guest')) : style.warning(label('hidden')), meaning),
    ...remarks.flatMap((remark) => sentence(label('note'), remark)),
    ...formatRegisters(registers, style, columns).map(indent),
  ];
}

function formatRegisters(registers: readonly DescribedRegister[], style: Style, columns: number): string[] {
  const nameColumns = Math.max(0, ...registers.map(({ name }) => name.length));
  const valueColumns = Math.max(0, ...registers.map(({ width }) => 2 + 2 * width));
  return registers.flatMap(({ offset, width, name, value, fields }) => {
    const head = `${place(offset)}${name.padEnd(nameColumns)}  ${hex(value, 2 * width).padEnd(valueColumns)}  `;
    const room = columns - OFFSET_COLUMNS - head.length;
    const paint = (piece: string, index: number) => (isOff(fields[index]) ? style.faint(piece) : piece);
    const lines = wrapPieces(fields.map(formatField), room, { between: ', ', paint });
    const rest = lines.slice(1).map((line) => ' '.repeat(head.length) + line);
    return [`${head}${lines[0] ?? ''}`.trimEnd(), ...rest];
  });
}

/** `enable+`, `enable-`, `maxPayloadSize 128 bytes`, `portNumber 3`. */
export function formatField({ name, bitCount, value, text }: DescribedField): string {
  if (text !== null) return `${name} ${text}`;
  if (bitCount === 1) return `${name}${value === 1 ? '+' : '-'}`;
  return `${name} ${bitCount > 8 ? `0x${value.toString(16)}` : value}`;
}

function isOff(field: DescribedField | undefined): boolean {
  return field?.text === null && field.bitCount === 1 && field.value === 0;
}

function place(offset: number): string {
  return hex(offset, 2).padEnd(OFFSET_COLUMNS);
}

function indent(line: string): string {
  return `${' '.repeat(OFFSET_COLUMNS)}${line}`;
}
