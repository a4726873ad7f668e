import { CommanderError } from 'commander';
import type { XenHost } from '@xenpt/qmp-sdk/xen';
import { ExitCode, exitCodeOf } from './exit-code.js';
import type { Io } from './io.js';
import { describeFailure, formatFailure } from './output/error.js';
import { formatJson } from './output/json.js';
import { createStyle } from './output/style.js';
import { buildProgram, type VerbOptions } from './program.js';
import type { Verb } from './verb.js';
import { PartlyDone } from './each-device.js';
import { createProgress } from './progress.js';

/**
 * Runs one command line that means one of these verbs.
 *
 * @returns the exit code
 */
export async function runCommand(argv: readonly string[], io: Io, verbs: readonly Verb[]): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  const program = buildProgram(io, verbs, async (verb, args, options) => {
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
