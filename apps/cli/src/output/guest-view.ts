import type { BitOwner, DeniedRegister, SeenArea, SeenRegister } from '@xenpt/pci';
import type { GuestViewReport } from '@xenpt/qmp-sdk/xen';
import { hex } from './json.js';
import type { Style } from './style.js';
import { formatTable } from './table.js';
import { wrapPieces, wrapWords } from './wrap.js';

const OFFSET_COLUMNS = 7;
const VALUE_COLUMNS = 11;
const BITS_IN_GROUP = 8;

/** What each letter of the bits says; capitals read the device. */
const legend: readonly (readonly [owner: BitOwner, meaning: string])[] = [
  ['W', 'device, written through'],
  ['R', 'device, read-only'],
  ['D', 'device, write denied'],
  ['w', 'ours, the guest writes it'],
  ['r', 'ours, fixed'],
  ['d', 'ours, write denied'],
  ['.', 'reserved'],
];

/** Register by register; a star and the reason where guest and host differ. */
export function formatGuestView(report: GuestViewReport, style: Style, columns: number): string {
  const { registers, areas, hidden } = report;
  const nameColumns = Math.max(0, ...registers.map(({ name }) => name.length)) + 2;
  const head = ['OFFSET'.padEnd(OFFSET_COLUMNS), 'REGISTER'.padEnd(nameColumns), 'HOST'.padEnd(VALUE_COLUMNS)];
  const lines = [
    style.strong(`${head.join('')}  ${'GUEST'.padEnd(VALUE_COLUMNS)}BITS`),
    ...registers.flatMap((register, index) => [
      ...groupTitle(register, registers[index - 1], style),
      ...formatRegister(register, registers[index + 1], { style, columns, nameColumns }),
    ]),
    '',
    ...formatLegend(style, columns),
  ];
  return [
    formatTitle(report, style),
    '',
    ...lines,
    ...section(style, ['OFFSET', 'HIDDEN', 'BECAUSE'], hidden.map(hiddenRow)),
    ...section(style, ['OFFSET', 'BYTES', 'UNDESCRIBED', 'THE GUEST'], areas.filter(isWorthALine).map(areaRow)),
    ...formatOpened(report, style),
  ].join('\n');
}

/** Where the guest put what: of one that runs. */
export function formatPlacement({ bars, vectors }: GuestViewReport, style: Style): string[] {
  const barRows = bars.map(({ index, kind, guestAddress, mapped, refusal, rounds }) => [
    index === 6 ? 'ROM' : `BAR ${index}`,
    kind,
    guestAddress === null ? '-' : `0x${guestAddress.toString(16)}`,
    mapped ? 'yes' : refusal === null ? 'no' : `no (${refusal})`,
    String(rounds),
  ]);
  const vectorRows = vectors.map(({ index, bound, pirq, masked }) => [
    String(index),
    bound ? 'yes' : 'no',
    pirq === null ? '-' : String(pirq),
    masked ? 'yes' : 'no',
  ]);
  return [
    ...section(style, ['RESOURCE', 'KIND', 'IN THE GUEST', 'MAPPED', 'ROUNDS'], barRows),
    ...section(style, ['VECTOR', 'BOUND', 'PIRQ', 'MASKED'], vectorRows),
  ];
}

/** What was written in vain. BAR sizing is not among it: that is what a guest should do. */
export function formatDenied(report: GuestViewReport, style: Style): string {
  const title = `${style.strong(report.sbdf ?? '')} in domain ${report.domid} (${report.domainName})`;
  if (report.denied.length === 0) return `${title}: the guest changed nothing that it may not`;
  const head = ['OFFSET', 'GROUP', 'REGISTER', 'BITS', 'WRITES', 'ALLOWED BY'];
  return [
    `${title}: writes that did not reach the device`,
    ...section(style, head, report.denied.map(deniedRow)),
  ].join('\n');
}

function deniedRow({ offset, width, group, name, mask, count, allow }: DeniedRegister): string[] {
  return [hex(offset, 2), group, name, hex(mask, width * 2), String(count), allow ?? '-'];
}

function formatTitle({ sbdf, domid, domainName, guestSbdf }: GuestViewReport, style: Style): string {
  const name = style.strong(sbdf ?? 'The function');
  return domid === null
    ? `${name} as a guest would see it`
    : `${name} as domain ${domid} (${domainName}) sees it at ${guestSbdf}`;
}

function groupTitle({ group, groupOffset }: SeenRegister, before: SeenRegister | undefined, style: Style): string[] {
  if (before?.groupOffset === groupOffset) return [];
  return [...(before === undefined ? [] : ['']), style.strong(group)];
}

function formatRegister(
  { offset, width, name, host, guest, differs, bits, why }: SeenRegister,
  next: SeenRegister | undefined,
  { style, columns, nameColumns }: { readonly style: Style; readonly columns: number; readonly nameColumns: number },
): string[] {
  const value = (number: number) => hex(number, width * 2).padEnd(VALUE_COLUMNS);
  const paint = differs ? style.warning : (text: string) => text;
  const line =
    hex(offset, 2).padEnd(OFFSET_COLUMNS) +
    name.padEnd(nameColumns) +
    value(host) +
    paint(`${differs ? '* ' : '  '}${value(guest)}`);
  const lines = withBits(line, OFFSET_COLUMNS + nameColumns + 2 * VALUE_COLUMNS + 2, bits, { style, columns });
  // Once below registers that have it in common.
  if (!differs || (next?.differs === true && next.why === why && next.name !== name)) return lines;
  const indent = OFFSET_COLUMNS + 2;
  return [...lines, ...wrapWords(why, columns - indent).map((text) => ' '.repeat(indent) + style.faint(text))];
}

/** Bits that find no room behind the values stand below them, at the end of the line. */
function withBits(
  line: string,
  lineColumns: number,
  bits: string,
  { style, columns }: { readonly style: Style; readonly columns: number },
): string[] {
  const bitColumns = bits.length + Math.ceil(bits.length / BITS_IN_GROUP) - 1;
  const painted = paintBits(bits, style);
  if (lineColumns + bitColumns <= columns) return [line + painted];
  return [line.trimEnd(), ' '.repeat(Math.max(0, columns - bitColumns)) + painted];
}

function paintBits(bits: string, style: Style): string {
  const groups = bits.match(new RegExp(`.{1,${BITS_IN_GROUP}}`, 'g')) ?? [];
  return groups.map((group) => group.replace(/(.)\1*/g, (run) => paintOwner(run, style))).join(' ');
}

function paintOwner(run: string, style: Style): string {
  switch (run[0] as BitOwner) {
    case 'W':
    case 'R':
      return style.good(run);
    case 'D':
    case 'd':
      return style.warning(run);
    case 'w':
    case 'r':
      return style.info(run);
    case '.':
      return style.faint(run);
  }
}

function formatLegend(style: Style, columns: number): string[] {
  const pieces = legend.map(([owner, meaning]) => `${owner} ${meaning}`);
  const paint = (piece: string) => paintOwner(piece.slice(0, 1), style) + piece.slice(1);
  const lines = wrapPieces(pieces, columns - OFFSET_COLUMNS, { between: ',  ', paint });
  const label = (index: number) => (index === 0 ? 'BITS' : '').padEnd(OFFSET_COLUMNS);
  return lines.map((line, index) => style.strong(label(index)) + line);
}

function hiddenRow({ offset, name, reason }: GuestViewReport['hidden'][number]): string[] {
  return [hex(offset, 2), name, reason];
}

/** Nothing there and nothing to say of it. */
function isWorthALine({ group, hidden, opened, host }: SeenArea): boolean {
  return group !== 'device-specific' || hidden || opened.length > 0 || /[^0]/.test(host);
}

function areaRow({ offset, sizeBytes, group, hidden, opened }: SeenArea): string[] {
  const masks = opened.map(({ offset: at, mask }) => `${hex(at, 2)}:${hex(mask, 2)}`);
  const isWhole = opened.length === sizeBytes && opened.every(({ mask }) => mask === 0xff);
  const writes = isWhole ? 'reads and writes the device' : `reads the device, writes ${masks.join(' ')}`;
  const fate = hidden ? 'reads 0' : opened.length === 0 ? 'reads the device, writes nothing' : writes;
  return [hex(offset, 2), String(sizeBytes), group, fate];
}

function formatOpened({ opened }: GuestViewReport, style: Style): string[] {
  if (opened === null) return [];
  const rows = openedRows(opened).map(([name = '', value = '']) => `  ${`${name}:`.padEnd(11)} ${value}`);
  return ['', style.strong('OPTIONS'), ...rows];
}

/** The options of an attach as they are in effect, for `attach` too. */
export function openedRows({ permissive, allow, rom, romBytes }: NonNullable<GuestViewReport['opened']>): string[][] {
  const roms = {
    none: 'none',
    blank: 'a BAR without content: it reads all ones',
    served: `${romBytes} bytes, from memory`,
  };
  return [
    ['Permissive', permissive ? 'yes: the guest writes every byte that no register describes' : 'no'],
    ['Allowed', allow.length === 0 ? 'nothing' : allow.join(', ')],
    ['ROM', roms[rom]],
  ];
}

function section(style: Style, head: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', formatTable(style, head, rows)];
}
