import { ExitCode } from './exit-code.js';
import type { Io } from './io.js';
import { loadVerbs, withoutAlias } from './lazy-verbs.js';
import { runProcess as runProcessWith } from './process.js';
import { runCommand } from './run-command.js';

/**
 * Runs one command line.
 *
 * @param commandLine what comes after the program's name
 * @returns the exit code
 */
export async function main(commandLine: readonly string[], io: Io): Promise<ExitCode> {
  if (commandLine[0] === '__complete') return printCandidates(commandLine.slice(1), io);
  if (commandLine[0] === '__man') return printManPage(commandLine[1] ?? '', io);
  const argv = withoutAlias(commandLine);
  return runCommand(argv, io, await loadVerbs(argv));
}

/** Called by bin/xenpt.js. */
export const runProcess = (): Promise<void> => runProcessWith(main);

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
