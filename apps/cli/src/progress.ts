import type { Io } from './io.js';

/** Whoever waits longer than this is told for what. */
const PATIENCE_MS = 1000;

export interface Progress {
  /** The step that begins now, in words. */
  readonly onStep: (step: string) => void;
  /** Takes the line away again, before anything else is printed. */
  readonly end: () => void;
}

/** A line at the bottom of the terminal with the step that an operation is at, once it takes long; else nothing. */
export function createProgress({ statusLine }: Pick<Io, 'statusLine'>): Progress {
  if (statusLine === undefined) return { onStep: () => {}, end: () => {} };
  let step = '';
  let isShown = false;
  const show = (): void => {
    if (step === '') return;
    isShown = true;
    statusLine(`${step} …`);
  };
  const timer = setTimeout(() => {
    isShown = true;
    show();
  }, PATIENCE_MS);
  timer.unref();
  return {
    onStep: (next) => {
      step = next;
      if (isShown) show();
    },
    end: () => {
      clearTimeout(timer);
      if (isShown) statusLine('');
      isShown = false;
      step = '';
    },
  };
}
