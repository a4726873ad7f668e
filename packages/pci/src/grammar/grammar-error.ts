import { PciError } from '../errors.js';

/** Where a text is wrong, and what was probably meant. */
export interface GrammarErrorDetails {
  /** The whole text, or the line of a file. */
  readonly text: string;
  /** From 1. */
  readonly column: number;
  /** From 1; left out for a text of one line. */
  readonly line?: number;
  /** A clause: `function 8 does not exist: functions are 0 to 7`. */
  readonly problem: string;
  /** A text that would have been right. */
  readonly suggestion?: string;
  /** What to do where nothing can be suggested. */
  readonly nextStep?: string;
}

const SHOWN_CHARACTERS = 60;

/** A text that no dialect allows. `code` is `PCI_GRAMMAR`. */
export class GrammarError extends PciError {
  override name = 'GrammarError';
  readonly text: string;
  readonly line: number | undefined;
  readonly column: number;
  /** What is wrong there, without the place. */
  readonly problem: string;
  readonly suggestion: string | undefined;

  constructor({ text, line, column, problem, suggestion, nextStep }: GrammarErrorDetails) {
    const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
    const place = `${line === undefined ? '' : `line ${line}, `}column ${column}`;
    const otherwise = nextStep ?? 'Write an address as 0000:03:00.0; `man 5 xenpt-pci-spec` has every form.';
    super('PCI_GRAMMAR', {
      problem: `"${shown.trim()}", ${place}: ${problem}.`,
      nextStep: suggestion === undefined ? otherwise : `Did you mean ${suggestion}?`,
    });
    this.text = text;
    this.line = line;
    this.column = column;
    this.problem = problem;
    this.suggestion = suggestion;
  }
}
