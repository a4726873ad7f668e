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
 * such a list one is added at the end of the file. Every other byte stays; {@link removePciDevices} takes it away
 * without a trace.
 *
 * @throws GrammarError when the list is wrong already
 */
export function addPciDevice(config: XlConfig, device: DeviceSpec): string {
  const { text } = config;
  const last = effectiveSettings(config, 'pci').at(-1);
  if (last === undefined) {
    const line = ownList(quote(formatDevice(device, 'xl'), '"'));
    return text === '' || text.endsWith('\n') ? `${text}${line}\n` : `${text}\n${line}`;
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
 * The text without the entries for which `matches` holds. A line that held only such an entry goes with it, and so
 * does a whole list as {@link addPciDevice} writes it; a comment, and every other byte, stays.
 */
export function removePciDevices(config: XlConfig, matches: (device: XlPciDevice) => boolean): string {
  const entries = readPciDevices(config);
  const unwanted = entries.filter(matches);
  const [only] = unwanted;
  if (only !== undefined && entries.length === 1) {
    const without = withoutOwnList(config.text, only);
    if (without !== undefined) return without;
  }
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

/** A list for its first device, on a line of its own. */
function ownList(written: string): string {
  return `pci = [ ${written} ]`;
}

/** Undefined where the line of the entry is not exactly {@link ownList}. */
function withoutOwnList(text: string, { start, end }: Span): string | undefined {
  const lineStart = text.lastIndexOf('\n', start) + 1;
  const lineEnd = text.indexOf('\n', end);
  const line = text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd);
  if (line !== ownList(text.slice(start, end))) return undefined;
  if (lineEnd !== -1) return text.slice(0, lineStart) + text.slice(lineEnd + 1);
  return text.slice(0, Math.max(lineStart - 1, 0));
}

function listOf(text: string, { value }: XlSetting): readonly Span[] {
  if (value.kind !== 'list') throw errorAt(text, value.start, 'pci is a list: pci=["0000:03:00.0"]');
  return value.items;
}

/** On a line of its own, as far in as the one before, when that one is; else beside it. */
function insertAfter(text: string, items: readonly Span[], neighbour: Span, list: Span, written: string): string {
  const comma = around(text, neighbour).after;
  const ends = comma?.kind === ',' ? comma.end : neighbour.end;
  const before = comma?.kind === ',' ? '' : ',';
  const after = comma?.kind === ',' ? ',' : '';
  const indentation = /\n([ \t]*)$/.exec(text.slice(list.start, neighbour.start))?.[1];
  const ownLine =
    indentation !== undefined && (items.length > 1 || text.slice(neighbour.end, list.end).includes('\n'));
  if (!ownLine) return splice(text, ends, `${before} ${written}${after}`);
  // What is said of the one before at the end of its line stays there.
  const lineEnd = text.indexOf('\n', ends);
  const at = lineEnd === -1 || lineEnd >= list.end ? ends : lineEnd;
  return text.slice(0, ends) + before + text.slice(ends, at) + `\n${indentation}${written}${after}` + text.slice(at);
}

interface Neighbours {
  readonly before: Token | undefined;
  readonly after: Token | undefined;
  /** The one that follows `after`. */
  readonly next: Token | undefined;
}

/** The tokens around an entry, line ends left out. */
function around(text: string, { start, end }: Span): Neighbours {
  const tokens = tokenize(text).filter(({ kind }) => kind !== 'newline');
  const [after, next] = tokens.filter((token) => token.start >= end);
  return { before: tokens.findLast((token) => token.end <= start), after, next };
}

function splice(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}

/** Takes an entry and one comma away: the one after it, or for the last one that before it. */
function cut(text: string, entry: Span): string {
  const { before, after, next } = around(text, entry);
  const { start, end } = entry;
  const gap = before?.kind === ',' ? text.slice(before.end, start) : undefined;
  if (after?.kind === ',') {
    const isLast = before !== undefined && gap?.trim() === '' && next?.kind === ']';
    if (isLast) return text.slice(0, before.end) + text.slice(after.end);
    const spaces = /^[ \t]*/.exec(text.slice(after.end, after.end + MAX_SPACES))?.[0].length ?? 0;
    return withoutEmptyLine(
      text.slice(0, start) + text.slice(end, after.start) + text.slice(after.end + spaces),
      start,
    );
  }
  if (before === undefined || gap === undefined) {
    return withoutEmptyLine(text.slice(0, start) + text.slice(end), start);
  }
  const kept = gap.trim() === '' ? '' : gap;
  return withoutEmptyLine(text.slice(0, before.start) + kept + text.slice(end), before.start + kept.length);
}

/** Removes the line around `position` if nothing but spaces is left of it. */
function withoutEmptyLine(text: string, position: number): string {
  const start = text.lastIndexOf('\n', position - 1);
  const end = text.indexOf('\n', position);
  if (start === -1 || end === -1 || text.slice(start, end).trim() !== '') return text;
  return text.slice(0, start) + text.slice(end);
}
