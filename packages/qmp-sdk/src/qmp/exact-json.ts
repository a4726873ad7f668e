import { QmpProtocolError } from './errors.js';

/** What becomes of an integer that a double can not hold. */
export type UnsafeIntegers = 'bigint' | 'number' | 'error';

export interface ExactJsonOptions {
  readonly unsafeIntegers: UnsafeIntegers;
  readonly maxNesting: number;
  /** As QEMU does with what it reads; else the last one counts, as for JSON.parse. */
  readonly refuseDuplicates?: boolean;
}

/**
 * JSON.parse for the messages it can not read truly: integers beyond 2^53 stay exact, and QEMU's bare `inf` and `nan`
 * (it prints doubles with C's printf) become Infinity and NaN. Anything else that is not JSON is refused.
 *
 * @throws QmpProtocolError kind `syntax`, `nesting` or `unsafe-integer`.
 */
export function parseExactJson(text: string, options: ExactJsonOptions): unknown {
  const parser = new ExactJsonParser(text, options);
  return parser.parse();
}

const blanks = /[ \t\n\r]*/y;
const numberToken = /-?(?:inf|nan|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)/y;
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class ExactJsonParser {
  readonly #text: string;
  readonly #options: ExactJsonOptions;
  #at = 0;

  constructor(text: string, options: ExactJsonOptions) {
    this.#text = text;
    this.#options = options;
  }

  parse(): unknown {
    const value = this.#value(1);
    this.#skipBlanks();
    if (this.#at !== this.#text.length) throw this.#syntaxError();
    return value;
  }

  #value(depth: number): unknown {
    this.#skipBlanks();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(this.#deeper(depth));
    if (first === '[') return this.#array(this.#deeper(depth));
    if (first === '"') return this.#string();
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #object(depth: number): object {
    const members: Record<string, unknown> = {};
    if (this.#closes('}')) return members;
    do {
      this.#skipBlanks();
      const name = this.#string();
      if (this.#options.refuseDuplicates === true && Object.hasOwn(members, name)) throw this.#syntaxError();
      this.#expect(':');
      const value = this.#value(depth);
      // A plain assignment to __proto__ would replace the prototype instead of making a member.
      if (name === '__proto__') {
        Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
      } else members[name] = value;
    } while (this.#continues('}'));
    return members;
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    if (this.#closes(']')) return items;
    do items.push(this.#value(depth));
    while (this.#continues(']'));
    return items;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw this.#syntaxError();
    const end = this.#closingQuote(this.#at + 1);
    try {
      // JSON.parse knows every escape.
      const value = JSON.parse(this.#text.slice(this.#at, end + 1)) as string;
      this.#at = end + 1;
      return value;
    } catch (cause) {
      throw this.#syntaxError(cause);
    }
  }

  /** The first quote from `from` on that an even number of backslashes precedes. */
  #closingQuote(from: number): number {
    for (let quote = this.#text.indexOf('"', from); quote !== -1; quote = this.#text.indexOf('"', quote + 1)) {
      let first = quote;
      while (first > from && this.#text[first - 1] === '\\') first -= 1;
      if ((quote - first) % 2 === 0) return quote;
    }
    throw this.#syntaxError();
  }

  #number(): number | bigint {
    const token = this.#match(numberToken);
    if (token === undefined) throw this.#syntaxError();
    const [text, fraction, exponent] = token;
    if (text.endsWith('inf')) return text.startsWith('-') ? -Infinity : Infinity;
    if (text.endsWith('nan')) return NaN;
    const value = Number(text);
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(value)) return value;
    return this.#unsafeInteger(text, value);
  }

  #unsafeInteger(text: string, value: number): number | bigint {
    if (this.#options.unsafeIntegers === 'bigint') return BigInt(text);
    if (this.#options.unsafeIntegers === 'number') return value;
    throw new QmpProtocolError('unsafe-integer', `the integer ${text.slice(0, 40)} is beyond 2^53`, {
      next: "Read such integers as bigint: unsafeIntegers: 'bigint'.",
    });
  }

  #deeper(depth: number): number {
    if (depth > this.#options.maxNesting) throw nestingError(this.#options.maxNesting);
    this.#at += 1;
    return depth + 1;
  }

  #closes(bracket: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #continues(bracket: string): boolean {
    if (this.#closes(bracket)) return false;
    this.#expect(',');
    return true;
  }

  #expect(character: string): void {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) throw this.#syntaxError();
    this.#at += 1;
  }

  #skipBlanks(): void {
    this.#match(blanks);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #syntaxError(cause?: unknown): QmpProtocolError {
    return new QmpProtocolError('syntax', `not JSON at character ${this.#at} of ${this.#text.length}`, { cause });
  }
}

export function nestingError(maxNesting: number): QmpProtocolError {
  return new QmpProtocolError('nesting', `a message is nested deeper than ${maxNesting}`, {
    next: 'Raise maxNesting if this is meant to be.',
  });
}
