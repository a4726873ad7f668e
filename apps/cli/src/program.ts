import { Command } from 'commander';
import { ExitCode, exitCodeMeanings } from './exit-code.js';
import type { Io } from './io.js';
import type { Verb, VerbArgument, VerbOptionValues } from './verb.js';

export type VerbOptions = VerbOptionValues & {
  readonly json: boolean;
  readonly debug: boolean;
  readonly sysroot?: string;
};

export type RunVerb = (verb: Verb, args: readonly string[], options: VerbOptions) => Promise<void>;

const groupSummaries: Readonly<Record<string, string>> = {
  assignable: 'devices that wait in quarantine for a guest',
  config: "the devices in a guest's xl.cfg",
};

/** The command line, built from the verbs. Errors are thrown, never a reason to end the process. */
export function buildProgram(io: Io, verbs: readonly Verb[], run: RunVerb): Command {
  const program = new Command('xenpt');
  settle(program, io)
    .description('PCI passthrough for Xen, what its guests write, and a word with their QEMU.')
    .version(io.version)
    .addHelpText('after', `\n${formatExitCodes(Object.values(ExitCode))}\n`);
  for (const verb of verbs) addVerb(program, verb, io, run);
  return program;
}

function addVerb(program: Command, verb: Verb, io: Io, run: RunVerb): void {
  const words = verb.name.split(' ');
  const last = words.pop() ?? '';
  const parent = words.reduce((command, word) => findOrAddGroup(command, word, io), program);
  const command = settle(parent.command(last), io).description(verb.summary);
  for (const argument of verb.arguments) command.argument(formatArgument(argument), argument.description);
  for (const { flags, description, default: value, repeatable } of verb.options ?? []) {
    if (repeatable) command.option(flags, description, (one: string, all?: string[]) => [...(all ?? []), one]);
    else command.option(flags, description, value);
  }
  command.option('--json', 'print one JSON document', false);
  if (verb.sysroot) command.option('--sysroot <DIR>', 'look at a captured tree instead of this host');
  command.option('--debug', 'show where an error comes from', false);
  command.addHelpText('after', `\n${formatExamples(verb)}\n\n${formatExitCodes(codesOf(verb))}\n`);
  command.action(async () => {
    await run(verb, command.args, command.opts<VerbOptions>());
  });
}

function formatArgument({ name, variadic, optional }: VerbArgument): string {
  const whole = `${name}${variadic ? '...' : ''}`;
  return optional ? `[${whole}]` : `<${whole}>`;
}

function findOrAddGroup(parent: Command, name: string, io: Io): Command {
  const known = parent.commands.find((command) => command.name() === name);
  return known ?? settle(parent.command(name), io).description(groupSummaries[name] ?? '');
}

/**
 * Output goes where `io` says. Arguments keep their spelling in the help. A verb may be a group too (`qmp` and `qmp
 * events`), so an option belongs to the word that it follows.
 */
function settle(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, getOutHasColors: () => io.color })
    .allowExcessArguments(false)
    .enablePositionalOptions()
    .helpCommand(false);
}

function codesOf(verb: Verb): ExitCode[] {
  return [...new Set([ExitCode.ok, ExitCode.usage, ...verb.exitCodes])].sort((a, b) => a - b);
}

function formatExamples({ examples }: Verb): string {
  return ['Examples:', ...examples.map(([command, meaning]) => `  ${command.padEnd(40)} ${meaning}`)].join('\n');
}

function formatExitCodes(codes: readonly ExitCode[]): string {
  return ['Exit codes:', ...codes.map((code) => `  ${String(code).padStart(2)}  ${exitCodeMeanings[code]}`)].join(
    '\n',
  );
}
