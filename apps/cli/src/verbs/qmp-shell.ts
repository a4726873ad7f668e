import { type QmpClient } from '@xenpt/qmp-sdk';
import { connect } from '@xenpt/qmp-sdk/node';
import { loadSchema, type QmpSchema } from '@xenpt/qmp-sdk/schema';
import { ExitCode } from '../exit-code.js';
import { type LineEditor, openLineEditor } from '../line-editor.js';
import { describeFailure, formatFailure } from '../output/error.js';
import { SCHEMA_VERSION } from '../output/json.js';
import { formatEvent, formatResult } from '../output/qmp.js';
import { parseArguments } from '../qmp-arguments.js';
import { completeLine, describeArguments } from '../qmp-completion.js';
import { domainArgument, type QmpTarget, requireNoMore, socketOption, takeTarget } from '../qmp-target.js';
import { splitLine } from '../split-line.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbContext, VerbOptionValues } from '../verb.js';
import { object, text } from '../json-schema.js';

export const qmpShell: Verb = {
  name: 'qmp shell',
  summary: 'type commands to a QEMU: completion with Tab, history, help COMMAND; Ctrl-D ends it',
  arguments: [domainArgument],
  options: [socketOption],
  examples: [
    ['xenpt qmp shell web', 'connects for each command only, so xl is not locked out'],
    ['xenpt qmp shell --socket /run/vm.qmp', 'stays connected, and prints events as they come'],
    ['echo query-status | xenpt qmp shell web', 'commands from a pipe; --json: one document per line'],
  ],
  schema: {},
  optionalSchema: { result: {}, error: object({ code: text }), event: object({ event: text }) },
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.busy, ExitCode.timeout, ExitCode.noHypervisor],
  run: async (context, words, options) => {
    const { target, close, client } = await openTarget(context, words, options);
    try {
      const session = new Session(context, target, options.json);
      return { exitCode: await session.run(client) };
    } finally {
      await close();
    }
  },
};

/** A socket is kept open; a guest's monitor is only borrowed for each command. */
async function openTarget(context: VerbContext, words: readonly string[], options: VerbOptionValues) {
  const path = options['socket'];
  if (typeof path !== 'string') {
    const { target, rest } = takeTarget(context, words, options);
    requireNoMore(rest);
    return { target, client: undefined, close: () => Promise.resolve() };
  }
  requireNoMore(words);
  const client = await connect({ unix: path }, { signal: context.signal });
  const target: QmpTarget = { name: path, use: (work) => work(client) };
  return { target, client, close: () => client.close() };
}

class Session {
  readonly #context: VerbContext;
  readonly #target: QmpTarget;
  readonly #json: boolean;
  #schema: QmpSchema | undefined;
  #failed = false;

  constructor(context: VerbContext, target: QmpTarget, json: boolean) {
    this.#context = context;
    this.#target = target;
    this.#json = json;
  }

  /** @returns 1 when a command failed. */
  async run(client: QmpClient | undefined): Promise<ExitCode> {
    this.#schema = await this.#target.use((monitor) => loadSchema(monitor));
    using editor = openLineEditor(this.#context.io, {
      prompt: `${this.#target.name}> `,
      complete: (line) => completeLine(this.#schema, line),
      history: 'qmp',
      signal: this.#context.signal,
    });
    if (client) void this.#printEvents(client, editor);
    for await (const line of editor) {
      const text = line.trim();
      if (text === 'exit') break;
      if (text !== '' && !text.startsWith('#')) await this.#runLine(text);
      if (client?.closeInfo !== undefined) break;
    }
    return this.#failed ? ExitCode.failed : ExitCode.ok;
  }

  async #runLine(line: string): Promise<void> {
    const { io, style } = this.#context;
    try {
      const [command = '', ...words] = splitLine(line);
      if (command === 'help') return io.stdout(`${this.#help(words)}\n`);
      if (command === 'quit' && words.length === 0) {
        throw new UsageError(
          'quit ends QEMU, and with it the guest',
          'Type exit to leave, or quit {} if it is meant.',
        );
      }
      const args = parseArguments(this.#schema, command, words);
      const result = await this.#target.use((monitor) => monitor.raw(command, args));
      this.#print({ result }, formatResult(result));
    } catch (error) {
      this.#failed = true;
      if (this.#json) this.#print({ error: describeFailure(error) }, '');
      else io.stderr(formatFailure(error, style, false));
    }
  }

  #print(document: Readonly<Record<string, unknown>>, text: string): void {
    const { io } = this.#context;
    if (!this.#json) return io.stdout(`${text}\n`);
    const exact = (_key: string, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value);
    io.stdout(`${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...document }, exact)}\n`);
  }

  #help([command]: readonly string[]): string {
    const schema = this.#schema;
    if (command === undefined || !schema) return (schema?.commands ?? []).join('\n');
    if (!schema.has(command)) throw new UsageError(`this QEMU has no command "${command}"`, 'Type help.');
    const members = describeArguments(schema, command);
    if (members.length === 0) return `${command} takes no arguments`;
    return members.map(({ path, optional, type }) => `${optional ? `[${path}]` : path}: ${type}`).join('\n');
  }

  async #printEvents(client: QmpClient, editor: LineEditor): Promise<void> {
    try {
      for await (const event of client.events()) {
        if (this.#json) this.#print({ event }, '');
        else editor.print(this.#context.style.faint(formatEvent(event)));
      }
    } catch {
      // The next command says that the connection has ended.
      editor.print(this.#context.style.warning('QEMU has closed the connection'));
    }
  }
}
