import { type DeviceSpec, formatDevice } from './device.js';
import { errorAt } from './place.js';
import {
  effectiveSettings,
  readPciDevices,
  type Span,
  type XlConfig,
  type XlPciDevice,
  type XlSetting,
} from './xl-config.js';
import { quote, type Token, tokenize } from './xl-config-tokens.js';

const MAX_SPACES = 256;

/**
 * The text of a configuration with one device more, at the end of `pci=[…]`, written as its neighbours are. Without
 * such a list one is added at the end of the file. Every other byte stays.
 *
 * @throws GrammarError when the list is wrong already
 */
export function addPciDevice(config: XlConfig, device: DeviceSpec): string {
  const { text } = config;
  const last = effectiveSettings(config, 'pci').at(-1);
  if (last === undefined) {
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${gap}pci = [ ${quote(formatDevice(device, 'xl'), '"')} ]\n`;
  }
  const items = listOf(text, last);
  const neighbour = items.at(-1);
  const mark = neighbour !== undefined && text.charAt(neighbour.start) === "'" ? "'" : '"';
  const written = quote(formatDevice(device, 'xl'), mark);
  if (neighbour === undefined) {
    const open = last.value.start + 1;
    return text.slice(0, open) + written + text.slice(open);
  }
  return insertAfter(text, items, neighbour, last.value, written);
}

/**
 * The text without the entries for which `matches` holds. A line that held only such an entry goes with it; its
 * comment, and every other byte, stays.
 */
export function removePciDevices(config: XlConfig, matches: (device: XlPciDevice) => boolean): string {
  const unwanted = readPciDevices(config).filter(matches);
  return unwanted.reduceRight((text, span) => cut(text, span), config.text);
}

/**
 * The text with one entry written anew, in its own quotes.
 *
 * @param entry of `readPciDevices` for this configuration
 */
export function replacePciDevice({ text }: XlConfig, entry: XlPciDevice, device: DeviceSpec): string {
  const mark = text.charAt(entry.start) === "'" ? "'" : '"';
  return text.slice(0, entry.start) + quote(formatDevice(device, 'xl'), mark) + text.slice(entry.end);
}

function listOf(text: string, { value }: XlSetting): readonly Span[] {
  if (value.kind !== 'list') throw errorAt(text, value.start, 'pci is a list: pci=["0000:03:00.0"]');
  return value.items;
}

/** On a line of its own, as far in as the one before, when that one is; else beside it. */
function insertAfter(text: string, items: readonly Span[], neighbour: Span, list: Span, written: string): string {
  const { after } = around(text, neighbour);
  const indentation = /\n([ \t]*)$/.exec(text.slice(list.start, neighbour.start))?.[1];
  const ownLine =
    indentation !== undefined && (items.length > 1 || text.slice(neighbour.end, list.end).includes('\n'));
  const separator = ownLine ? `\n${indentation}` : ' ';
  if (after?.kind !== ',') return splice(text, neighbour.end, `,${separator}${written}`);
  return splice(text, after.end, `${separator}${written},`);
}

/** The tokens before and after an entry, line ends left out. */
function around(
  text: string,
  { start, end }: Span,
): { readonly before: Token | undefined; readonly after: Token | undefined } {
  const tokens = tokenize(text).filter(({ kind }) => kind !== 'newline');
  return {
    before: tokens.findLast((token) => token.end <= start),
    after: tokens.find((token) => token.start >= end),
  };
}

function splice(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}

/** Takes an entry and one comma away: the one after it, or for the last one that before it. */
function cut(text: string, entry: Span): string {
  const { before, after } = around(text, entry);
  const { start, end } = entry;
  if (after?.kind === ',') {
    const spaces = /^[ \t]*/.exec(text.slice(after.end, after.end + MAX_SPACES))?.[0].length ?? 0;
    return withoutEmptyLine(
      text.slice(0, start) + text.slice(end, after.start) + text.slice(after.end + spaces),
      start,
    );
  }
  if (before?.kind !== ',') return withoutEmptyLine(text.slice(0, start) + text.slice(end), start);
  const between = text.slice(before.end, start);
  const kept = between.trim() === '' && !between.includes('\n') ? '' : between;
  return withoutEmptyLine(text.slice(0, before.start) + kept + text.slice(end), before.start + kept.length);
}

/** Removes the line around `position` if nothing but spaces is left of it. */
function withoutEmptyLine(text: string, position: number): string {
  const start = text.lastIndexOf('\n', position - 1);
  const end = text.indexOf('\n', position);
  if (start === -1 || end === -1 || text.slice(start, end).trim() !== '') return text;
  return text.slice(0, start) + text.slice(end);
}
