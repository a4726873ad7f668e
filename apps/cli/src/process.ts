import { readFileSync, realpathSync } from 'node:fs';
import { openXenHost } from '@xenpt/qmp-sdk/xen';
import type { ExitCode } from './exit-code.js';
import { readInput } from './input-file.js';
import type { Io } from './io.js';
import { writeOutput } from './output-file.js';

/**
 * Who reads what we print may leave (`| head`). That ends a measurement as Ctrl-C does, with everything switched off
 * that it switched on.
 */
export function abortWhenUnread(stream: NodeJS.WritableStream, controller: AbortController): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort();
  });
}

/** What is not clearly a yes is a no; so is Ctrl-C. */
function askPerson(signal: AbortSignal): (question: string) => Promise<boolean> {
  return async (question) => {
    const { createInterface } = await import('node:readline/promises');
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^\s*y(es)?\s*$/i.test(await lines.question(question, { signal }));
    } catch {
      return false;
    } finally {
      lines.close();
    }
  };
}

/** Runs this process's command line. */
export async function runProcess(run: (commandLine: readonly string[], io: Io) => Promise<ExitCode>): Promise<void> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => controller.abort());
  for (const stream of [process.stdout, process.stderr]) abortWhenUnread(stream, controller);
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  process.exitCode = await run(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    get terminal() {
      return process.stdout.isTTY ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined;
    },
    readFile: (path, mostBytes) => readInput(path, process.stdin, mostBytes),
    writeFile: (path, content) => writeOutput(path, content, process.pid),
    get confirm() {
      return process.stdin.isTTY && process.stderr.isTTY ? askPerson(controller.signal) : undefined;
    },
    get statusLine() {
      return process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r\x1b[K${text}`) : undefined;
    },
    color: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    colorDepth: process.stdout.isTTY ? process.stdout.getColorDepth() : 1,
    version: manifest.version,
    command: [process.execPath, realpathSync(process.argv[1] ?? '')],
    signal: controller.signal,
    openHost: openXenHost,
  });
}
