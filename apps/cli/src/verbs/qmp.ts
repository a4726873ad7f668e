import { nearest } from '@xenpt/pci/grammar';
import { isCommandError, type QmpClient, XenptError } from '@xenpt/qmp-sdk';
import { loadSchema } from '@xenpt/qmp-sdk/schema';
import { asks, confirm, yesOption } from '../confirm.js';
import { ExitCode } from '../exit-code.js';
import { formatResult } from '../output/qmp.js';
import { needsSchema, parseArguments } from '../qmp-arguments.js';
import { domainArgument, socketOption, takeTarget } from '../qmp-target.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';

/** What is gone when the command is done, and the guest was not asked. */
const losses: ReadonlyMap<string, string> = new Map([
  ['quit', 'the guest’s QEMU ends at once, and the guest has no devices any more'],
  ['system_reset', 'the guest starts anew at once; what it has not written is lost'],
]);

export const qmp: Verb = {
  name: 'qmp',
  summary: 'send one command to the QEMU of a guest; xl can work at the same time',
  arguments: [
    domainArgument,
    { name: 'COMMAND', description: 'such as query-status', optional: true },
    { name: 'ARGUMENT', description: 'key=value, key:=JSON, or one JSON object', variadic: true, optional: true },
  ],
  options: [socketOption, yesOption],
  examples: [
    ['xenpt qmp web query-status', 'what the guest does'],
    ['xenpt qmp web device_del id=disk1', 'values are typed by the schema of this QEMU'],
    ['xenpt qmp web blockdev-add driver=raw node-name=n file.driver=file file.filename=/i', 'nested members'],
    ['xenpt qmp --socket /run/vm.qmp migrate \'{"uri": "tcp:b:4444"}\'', 'any QEMU; JSON arguments'],
    ['xenpt qmp web human-monitor-command command-line="info pci"', 'its errors come back as text'],
  ],
  schema: { result: { description: 'As QEMU returned it.' } },
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.refused,
    ExitCode.busy,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, words, options) => {
    const { target, rest } = takeTarget(context, words, options);
    const [command, ...given] = rest;
    if (command === undefined) throw new UsageError('no command', `Try: xenpt qmp ${target.name} query-commands`);
    const loss = losses.get(command);
    if (loss !== undefined && asks(context.io, options)) {
      await confirm(context.io, options, [`${command}: ${loss}`]);
    }
    // Before anything is connected, where that can be.
    const ready = needsSchema(given) ? undefined : parseArguments(undefined, command, given);
    const result = await target.use(async (client) => {
      const args = ready ?? parseArguments(await loadSchema(client), command, given);
      return execute(client, command, args);
    });
    return { json: { result }, text: formatResult(result) };
  },
};

async function execute(
  client: QmpClient,
  command: string,
  args: ReturnType<typeof parseArguments>,
): Promise<unknown> {
  try {
    return await client.raw(command, args);
  } catch (error) {
    if (!isCommandError(error, 'CommandNotFound')) throw error;
    const names = (await client.execute('query-commands')).map(({ name }) => name);
    const similar = nearest(command, names);
    if (names.includes(command) || similar.length === 0) throw error;
    throw new XenptError(error.code, `this QEMU has no command "${command}"`, {
      cause: error,
      next: `Did you mean ${similar.join(' or ')}?`,
    });
  }
}
