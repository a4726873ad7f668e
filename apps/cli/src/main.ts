import { readFileSync, realpathSync } from 'node:fs';
import { CommanderError } from 'commander';
import type { XenHost } from '@xenpt/qmp-sdk/xen';
import { ExitCode, exitCodeOf } from './exit-code.js';
import { readInput } from './input-file.js';
import type { Io } from './io.js';
import { writeOutput } from './output-file.js';
import { describeFailure, formatFailure } from './output/error.js';
import { formatJson } from './output/json.js';
import { createStyle } from './output/style.js';
import { buildProgram, type VerbOptions } from './program.js';
import type { Verb } from './verb.js';
import { PartlyDone } from './each-device.js';
import { createProgress } from './progress.js';
import { loadVerbs, withoutAlias } from './lazy-verbs.js';

/**
 * Runs one command line.
 *
 * @param commandLine what comes after the program's name
 * @returns the exit code
 */
export async function main(commandLine: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  if (commandLine[0] === '__complete') return printCandidates(commandLine.slice(1), io);
  if (commandLine[0] === '__man') return printManPage(commandLine[1] ?? '', io);
  const argv = withoutAlias(commandLine);
  const program = buildProgram(io, await loadVerbs(argv), async (verb, args, options) => {
    exitCode = await runVerb(io, verb, args, options);
  });
  if (argv.length === 0) {
    io.stderr(program.helpInformation());
    return ExitCode.usage;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return ExitCode.ok;
    if (argv.includes('--json')) io.stdout(formatJson({ error: describeUsage(error) }));
    return ExitCode.usage;
  }
}

/** For the scripts of `xenpt completion`. */
async function printCandidates(words: readonly string[], io: Io): Promise<ExitCode> {
  const [{ complete }, { liveValues }] = await Promise.all([
    import('./completion.js'),
    import('./completion-values.js'),
  ]);
  const host = io.openHost({});
  try {
    const candidates = complete(words, await loadVerbs([]), liveValues(host));
    io.stdout(candidates.map(({ word, description }) => `${word}\t${description}\n`).join(''));
  } finally {
    host.close();
  }
  return ExitCode.ok;
}

/** For the build, which puts the manual into the package. */
async function printManPage(name: string, io: Io): Promise<ExitCode> {
  const { manPages } = await import('./man.js');
  const page = manPages(await loadVerbs([]), io.version)[name];
  if (page === undefined) return ExitCode.usage;
  io.stdout(page);
  return ExitCode.ok;
}

async function runVerb(io: Io, verb: Verb, args: readonly string[], options: VerbOptions): Promise<ExitCode> {
  const style = createStyle(io.color && !options.json);
  let host: XenHost | undefined;
  const progress = createProgress(io);
  try {
    const context = {
      get host() {
        return (host ??= io.openHost(options.sysroot === undefined ? {} : { sysroot: options.sysroot }));
      },
      style,
      signal: io.signal,
      io,
      onStep: progress.onStep,
    };
    const output = await verb.run(context, args, options);
    const { notes = [], exitCode = ExitCode.ok } = output;
    progress.end();
    // Only one of the two is asked for: it may have to be made first.
    if (options.json && output.json) io.stdout(formatJson(output.json));
    if (!options.json && output.text !== undefined) io.stdout(`${output.text}\n`);
    for (const note of notes) io.stderr(`${createStyle(io.color).warning('note:')} ${note}\n`);
    return exitCode;
  } catch (thrown) {
    progress.end();
    const done = thrown instanceof PartlyDone ? thrown.done : [];
    const error = thrown instanceof PartlyDone ? thrown.cause : thrown;
    if (options.json) {
      io.stdout(formatJson({ error: describeFailure(error), ...(done.length > 0 ? { devices: done } : {}) }));
    }
    for (const device of done) io.stderr(`done before: ${JSON.stringify(device)}\n`);
    io.stderr(formatFailure(error, createStyle(io.color), options.debug));
    return exitCodeOf(error);
  } finally {
    host?.close();
  }
}

function describeUsage(error: CommanderError) {
  return {
    code: 'XENPT_USAGE',
    message: error.message.replace(/^error: /, ''),
    cause: null,
    next: 'See xenpt --help.',
  };
}

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

/** Runs this process's command line; called by bin/xenpt.js. */
export async function runProcess(): Promise<void> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => controller.abort());
  for (const stream of [process.stdout, process.stderr]) abortWhenUnread(stream, controller);
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const { openXenHost } = await import('@xenpt/qmp-sdk/xen');
  process.exitCode = await main(process.argv.slice(2), {
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
