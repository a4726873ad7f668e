import { type ParsedDevice, parseDevice } from './device.js';
import { GrammarError } from './grammar-error.js';
import { maxListedDevices } from './lists.js';
import { errorAt, placeOf } from './place.js';
import { type Token, tokenize, unquote } from './xl-config-tokens.js';

/** A place in the text: `text.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type XlValue = Span &
  (
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'list'; readonly items: readonly XlValue[] }
  );

/** `name = value` or `name += value`, from the name to the end of the value. */
export interface XlSetting extends Span {
  readonly name: string;
  readonly operator: '=' | '+=';
  readonly value: XlValue;
  /** From 1. */
  readonly line: number;
}

/** A guest's configuration as xl reads it; the text itself is kept, for writing. */
export interface XlConfig {
  readonly text: string;
  readonly settings: readonly XlSetting[];
}

/** One entry of `pci=[…]`. */
export interface XlPciDevice extends Span {
  /** As written, without its quotes. */
  readonly written: string;
  readonly device: ParsedDevice;
  readonly line: number;
}

const MAX_DEPTH = 8;

/**
 * Reads a configuration file of xl (xl.cfg(5)).
 *
 * @throws GrammarError with line and column
 */
export function parseXlConfig(text: string): XlConfig {
  return { text, settings: new Reader(text).settings() };
}

/** The setting that counts: in xl the last one does, and `+=` adds to it. */
export function effectiveSettings({ settings }: XlConfig, name: string): XlSetting[] {
  const named = settings.filter((setting) => setting.name === name);
  const last = named.findLastIndex(({ operator }) => operator === '=');
  return named.slice(Math.max(last, 0));
}

/** A number or string setting; undefined when it is not there or is a list. */
export function readXlScalar(config: XlConfig, name: string): string | number | undefined {
  const value = effectiveSettings(config, name).at(-1)?.value;
  return value === undefined || value.kind === 'list' ? undefined : value.value;
}

/**
 * The devices of `pci=[…]` (and `pci+=[…]`), in order.
 *
 * @throws GrammarError with line and column, where the list or an entry is wrong
 */
export function readPciDevices(config: XlConfig): XlPciDevice[] {
  return effectiveSettings(config, 'pci').flatMap(({ value }) => {
    if (value.kind !== 'list') throw errorAt(config.text, value.start, 'pci is a list: pci=["0000:03:00.0"]');
    if (value.items.length > maxListedDevices) {
      throw errorAt(config.text, value.start, `more than ${maxListedDevices} devices`);
    }
    return value.items.map((item) => readEntry(config.text, item));
  });
}

function readEntry(text: string, item: XlValue): XlPciDevice {
  if (item.kind !== 'string') throw errorAt(text, item.start, 'a device is a text in quotes');
  const { line, column, lineText } = placeOf(text, item.start);
  try {
    const { start, end, value } = item;
    return { start, end, line, written: value, device: parseDevice(value, 'xl') };
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    const { problem, nextStep, suggestion } = error;
    const place = { text: lineText, line, column: column + error.column, problem };
    throw new GrammarError({ ...place, ...(suggestion === undefined ? { nextStep } : { suggestion }) });
  }
}

class Reader {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  settings(): XlSetting[] {
    const settings: XlSetting[] = [];
    let line = 1;
    let counted = 0;
    for (;;) {
      while (this.#take('newline') ?? this.#take(';')) continue;
      if (this.#peek().kind === 'end') return settings;
      const setting = this.#setting();
      for (let at = this.#text.indexOf('\n', counted); at !== -1 && at < setting.start;) {
        line++;
        counted = at + 1;
        at = this.#text.indexOf('\n', counted);
      }
      settings.push({ ...setting, line });
      const end = this.#peek().kind;
      if (end !== 'newline' && end !== ';' && end !== 'end') this.#fail('the end of the setting');
    }
  }

  #setting(): Omit<XlSetting, 'line'> {
    const name = this.#take('name') ?? this.#fail('the name of a setting');
    const operator = this.#take('=') ?? this.#take('+=') ?? this.#fail('"="');
    const value = this.#value(0);
    return { name: name.text, operator: operator.text as '=' | '+=', value, start: name.start, end: value.end };
  }

  #value(depth: number): XlValue {
    const string = this.#take('string');
    if (string) {
      const { start, end } = string;
      return { kind: 'string', value: unquote(this.#text, string), start, end };
    }
    const number = this.#take('number');
    if (number) {
      const value = numberOf(number.text);
      if (Number.isNaN(value)) throw errorAt(this.#text, number.start, `"${number.text}" is not a number`);
      return { kind: 'number', value, start: number.start, end: number.end };
    }
    const open = this.#take('[') ?? this.#fail('a text in quotes, a number or a list');
    if (depth >= MAX_DEPTH) throw errorAt(this.#text, open.start, `lists more than ${MAX_DEPTH} deep`);
    return this.#list(open, depth);
  }

  #list(open: Token, depth: number): XlValue {
    const items: XlValue[] = [];
    for (;;) {
      this.#skipLines();
      const close = this.#take(']');
      if (close) return { kind: 'list', items, start: open.start, end: close.end };
      items.push(this.#value(depth + 1));
      this.#skipLines();
      if (this.#take(',') === undefined && this.#peek().kind !== ']') this.#fail('"," or "]"');
    }
  }

  #skipLines(): void {
    while (this.#take('newline')) continue;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', start: this.#text.length, end: this.#text.length };
  }

  #take(kind: Token['kind']): Token | undefined {
    const token = this.#peek();
    if (token.kind !== kind || kind === 'end') return undefined;
    this.#next++;
    return token;
  }

  #fail(expected: string): never {
    const { kind, text, start } = this.#peek();
    const found = kind === 'end' ? 'the file ends' : kind === 'newline' ? 'the line ends' : `"${text.slice(0, 20)}"`;
    throw errorAt(this.#text, start, `${found} where ${expected} is expected`);
  }
}

/** As strtoul(3) with base 0: hexadecimal, octal or decimal. */
function numberOf(text: string): number {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : NaN;
}
