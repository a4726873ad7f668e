import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Io } from './io.js';

const MAX_HISTORY = 1000;
const MAX_HISTORY_BYTES = 1024 * 1024;

export interface LineEditorOptions {
  readonly prompt: string;
  /** What can stand where the cursor is, and the part of the line that it replaces. */
  readonly complete: (line: string) => readonly [candidates: readonly string[], replaced: string];
  /** Name of the history, `qmp`; kept between sessions where a person types. */
  readonly history: string;
  readonly signal: AbortSignal;
}

/** Lines as a person types them, with editing, completion and history; from a pipe, just lines. */
export interface LineEditor extends AsyncIterable<string>, Disposable {
  /** Prints above the line that is being typed. */
  print(text: string): void;
}

export function openLineEditor(
  io: Pick<Io, 'stdin' | 'stdout' | 'terminal'>,
  { prompt, complete, history, signal }: LineEditorOptions,
): LineEditor {
  const interactive = io.terminal !== undefined && (io.stdin as { isTTY?: boolean }).isTTY === true;
  const file = interactive ? historyFile(history) : undefined;
  const lines = createInterface({
    input: io.stdin,
    signal,
    terminal: interactive,
    prompt,
    historySize: MAX_HISTORY,
    removeHistoryDuplicates: true,
    ...(interactive ? { output: terminalOf(io) } : {}),
    ...(file === undefined ? {} : { history: readHistory(file) }),
    completer: (line: string) => complete(line) as [string[], string],
  });
  // Ctrl-C at the prompt leaves, as Ctrl-D does.
  lines.on('SIGINT', () => lines.close());
  if (file !== undefined) lines.on('history', (entries: string[]) => writeHistory(file, entries));
  return {
    print: (text) => {
      if (interactive) io.stdout('\r\u001b[K');
      io.stdout(`${text}\n`);
      if (interactive) lines.prompt(true);
    },
    async *[Symbol.asyncIterator]() {
      if (interactive) lines.prompt();
      for await (const line of lines) {
        yield line;
        if (interactive) lines.prompt();
      }
      if (interactive) io.stdout('\n');
    },
    [Symbol.dispose]: () => lines.close(),
  };
}

/** readline asks the stream that it writes to for the width of the terminal. */
function terminalOf({ stdout, terminal }: Pick<Io, 'stdout' | 'terminal'>): NodeJS.WritableStream {
  const stream = new Writable({
    decodeStrings: false,
    write: (text: string | Buffer, _encoding, done) => {
      stdout(String(text));
      done();
    },
  });
  return Object.assign(stream, terminal);
}

function historyFile(name: string): string {
  return join(homedir(), '.local/state/xenpt', `${name}-history`);
}

/** Newest first, as readline has it; oldest first in the file. */
function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').slice(-MAX_HISTORY_BYTES).split('\n').filter(Boolean).reverse();
  } catch {
    return [];
  }
}

/** A history that cannot be kept is no reason to stop. */
function writeHistory(file: string, entries: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const aside = `${file}.${process.pid}.part`;
    writeFileSync(aside, `${[...entries].reverse().join('\n')}\n`, { mode: 0o600 });
    renameSync(aside, file);
  } catch {
    return;
  }
}
