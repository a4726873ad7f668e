import { errorAt } from './place.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'newline' | 'end' | '[' | ']' | ',' | ';' | '=' | '+=';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Far above any guest's; xl itself reads the whole file into memory. */
export const maxConfigBytes = 1024 * 1024;

/** No part of it can be matched in two ways, so that no text takes longer than its length. */
const pattern =
  /([A-Za-z_]\w*)|([0-9][0-9a-fA-FxX]*)|("[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')|(\n)|\+=|[[\],;=]/y;
const kinds = ['name', 'number', 'string', 'newline'] as const;

/**
 * Cuts a file into tokens. What stands between two of them is spaces and comments.
 *
 * @throws GrammarError
 */
export function tokenize(text: string): Token[] {
  if (text.length > maxConfigBytes)
    throw errorAt(text.slice(0, 80), 0, 'a file of more than 1 MiB is no configuration');
  const tokens: Token[] = [];
  for (let start = skipGap(text, 0); start < text.length; start = skipGap(text, tokens.at(-1)?.end ?? text.length)) {
    pattern.lastIndex = start;
    const match = pattern.exec(text);
    if (match === null) failAt(text, start);
    const index = match.slice(1).findIndex((part) => part !== undefined);
    const [token] = match;
    tokens.push({ kind: kinds[index] ?? (token as Token['kind']), text: token, start, end: start + token.length });
  }
  return tokens;
}

/** Passes over spaces and comments. */
function skipGap(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (' \t\r'.includes(text.charAt(at)) && at < text.length) at++;
    if (text.charAt(at) !== '#') return at;
    const lineEnd = text.indexOf('\n', at);
    at = lineEnd === -1 ? text.length : lineEnd;
  }
}

function failAt(text: string, at: number): never {
  const quoted = /["']/.test(text.charAt(at));
  throw errorAt(text, at, quoted ? 'the text in quotes does not end' : `"${text.charAt(at)}" has no meaning here`);
}

const letters: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The value of a text in quotes, with its escapes: `\\`, `\'`, `\"`, `\n` and the like, `\x41`, `\101`. */
export function unquote(text: string, { start, end }: Token): string {
  const inner = text.slice(start + 1, end - 1);
  return inner.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/g, (_, escape: string, at: number) => {
    if (/^[\\'"]$/.test(escape)) return escape;
    const letter = letters[escape];
    if (letter !== undefined) return letter;
    if (/^x..$/.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]+$/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 0xff);
    throw errorAt(text, start + 1 + at, `"\\${escape}" has no meaning in quotes`);
  });
}

/** Writes a text in quotes that {@link unquote} reads back. */
export function quote(value: string, mark: '"' | "'"): string {
  const escaped = value.replace(/[\\'"\p{Cc}]/gu, (character) => {
    if (character === '\\' || character === mark) return `\\${character}`;
    if (character === "'" || character === '"') return character;
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return mark + escaped + mark;
}
