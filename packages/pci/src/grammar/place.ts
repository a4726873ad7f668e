import { GrammarError } from './grammar-error.js';

/** A mistake at a position of a file. */
export function errorAt(text: string, position: number, problem: string): GrammarError {
  const { line, column, lineText } = placeOf(text, position);
  const nextStep = 'Correct the file; xl.cfg(5) says what it may hold.';
  return new GrammarError({ text: lineText, line, column, problem, nextStep });
}

/** Line and column from 1, and the line itself. */
export function placeOf(
  text: string,
  position: number,
): { readonly line: number; readonly column: number; readonly lineText: string } {
  const lineStart = text.lastIndexOf('\n', position - 1) + 1;
  const lineEnd = text.indexOf('\n', position);
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < lineStart; at = text.indexOf('\n', at + 1)) line++;
  return {
    line,
    column: position - lineStart + 1,
    lineText: text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd),
  };
}
