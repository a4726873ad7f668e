import { UsageError } from './usage-error.js';

/**
 * The words of a line: separated by blanks, except inside quotes and inside a JSON object or list, which is one
 * word with its quotes.
 *
 * @throws UsageError for a quote or bracket that is not closed.
 */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line.charAt(at))) at += 1;
    else {
      const { word, end } = readWord(line, at);
      words.push(word);
      at = end;
    }
  }
  return words;
}

function readWord(line: string, start: number): { word: string; end: number } {
  let word = '';
  let at = start;
  while (at < line.length && !/\s/.test(line.charAt(at))) {
    const letter = line.charAt(at);
    const opensJson = /[[{]/.test(letter) && /(^|=)$/.test(word);
    const end = opensJson ? endOfJson(line, at) : letter === '"' || letter === "'" ? endOfQuote(line, at) : at + 1;
    // After `:=` a quote is JSON's.
    const isRaw = opensJson || end === at + 1 || word.endsWith(':=');
    word += isRaw ? line.slice(at, end) : unquoted(line.slice(at, end));
    at = end;
  }
  return { word, end: at };
}

function endOfQuote(line: string, start: number): number {
  const quote = line.charAt(start);
  for (let at = start + 1; at < line.length; at++) {
    if (line.charAt(at) === '\\' && quote === '"') at += 1;
    else if (line.charAt(at) === quote) return at + 1;
  }
  throw new UsageError(`a quote is not closed: ${line.slice(start)}`, `Add ${quote}.`);
}

function endOfJson(line: string, start: number): number {
  let depth = 0;
  for (let at = start; at < line.length; at++) {
    const letter = line.charAt(at);
    if (letter === '"') at = endOfQuote(line, at) - 1;
    else if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw new UsageError(`a bracket is not closed: ${line.slice(start)}`, 'Add what closes it.');
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1);
  return text.startsWith('"') ? inner.replace(/\\(.)/g, '$1') : inner;
}
