import { GrammarError } from './grammar-error.js';

/** Nothing that names devices on one line is longer; libxl and the kernel keep less. */
export const maxSpecLength = 4096;

/** A number as a dialect writes it. */
export interface NumberForm {
  /** `bus`; for messages. */
  readonly what: string;
  /** How many hexadecimal digits; two numbers are a range. */
  readonly digits: number | readonly [number, number];
  readonly max: number;
}

/** A place in a text that is read from left to right. */
export class Cursor {
  readonly text: string;
  position = 0;

  /** @throws GrammarError when the text is longer than {@link maxSpecLength} */
  constructor(text: string) {
    this.text = text;
    if (text.length <= maxSpecLength) return;
    throw new GrammarError({
      text,
      column: maxSpecLength + 1,
      problem: `longer than ${maxSpecLength} characters`,
      nextStep: 'Name fewer devices at once.',
    });
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  peek(): string {
    return this.text.charAt(this.position);
  }

  /** Takes `word` if it comes next. */
  take(word: string): boolean {
    if (!this.text.startsWith(word, this.position)) return false;
    this.position += word.length;
    return true;
  }

  /** @throws GrammarError */
  expect(word: string, meaning: string): void {
    if (this.take(word)) return;
    this.fail(`${this.#found()} where ${meaning} "${word}" is expected`);
  }

  /** All characters up to one of `ends`. */
  takeUntil(ends: string): string {
    const start = this.position;
    while (!this.atEnd && !ends.includes(this.peek())) this.position++;
    return this.text.slice(start, this.position);
  }

  /** Takes spaces, tabs and line ends. */
  takeSpaces(): void {
    while (!this.atEnd && /\s/.test(this.peek())) this.position++;
  }

  /** @throws GrammarError when the digits are too few, too many or too large */
  hex({ what, digits, max }: NumberForm): number {
    const [least, most] = typeof digits === 'number' ? [digits, digits] : digits;
    const start = this.position;
    while (/^[0-9a-f]$/i.test(this.peek())) this.position++;
    const written = this.text.slice(start, this.position);
    const value = Number.parseInt(written, 16);
    const count = least === most ? `${least}` : `${least} to ${most}`;
    if (written === '') this.fail(`${this.#found()} where the ${what} is expected, in hexadecimal`, start);
    if (written.length > most || written.length < least) {
      this.fail(`the ${what} "${written}" must have ${count} hexadecimal digit${count === '1' ? '' : 's'}`, start);
    }
    if (value > max) {
      this.fail(`${what} ${written} does not exist: in hexadecimal the highest is ${max.toString(16)}`, start);
    }
    return value;
  }

  /** @throws GrammarError when something is left */
  expectEnd(): void {
    if (!this.atEnd) this.fail(`${this.#found()} after the end`);
  }

  fail(problem: string, position = this.position): never {
    throw new GrammarError({ text: this.text, column: position + 1, problem });
  }

  #found(): string {
    return this.atEnd ? 'the text ends' : `"${this.peek()}"`;
  }
}
