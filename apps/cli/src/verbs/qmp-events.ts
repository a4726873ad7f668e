import { type QmpClient, QmpClosedError } from '@xenpt/qmp-sdk';
import { connect } from '@xenpt/qmp-sdk/node';
import { connectToGuestEvents } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { SCHEMA_VERSION } from '../output/json.js';
import { formatEvent, type PrintableEvent } from '../output/qmp.js';
import { domainArgument, socketOption } from '../qmp-target.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbContext, VerbOptionValues } from '../verb.js';
import { integer, object, text } from '../json-schema.js';

export const qmpEvents: Verb = {
  name: 'qmp events',
  summary: 'print the events of a QEMU as they come, until it ends or Ctrl-C',
  arguments: [
    domainArgument,
    { name: 'EVENT', description: 'only these, such as STOP or DEVICE_DELETED', variadic: true, optional: true },
  ],
  options: [socketOption, { flags: '--count <N>', description: 'end after so many events' }],
  examples: [
    ['xenpt qmp events web', 'xl is not disturbed; xentop misses its disk figures'],
    ['xenpt qmp events web SHUTDOWN --count 1', 'wait for the guest to end'],
    ['xenpt qmp events --socket /run/vm.qmp --json', 'one JSON document per line'],
  ],
  schema: { event: text, timestamp: object({ seconds: integer, microseconds: integer }) },
  optionalSchema: { data: { description: 'As QEMU sent it.' } },
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.busy, ExitCode.timeout, ExitCode.noHypervisor],
  run: async (context, words, options) => {
    const count = parseCount(options['count']);
    const { client, names } = await open(context, words, options);
    try {
      const ending = await print(context, client, { names, count, json: options.json });
      return ending === undefined ? {} : { notes: [ending] };
    } finally {
      await client.close();
    }
  },
};

async function open(
  context: VerbContext,
  words: readonly string[],
  options: VerbOptionValues,
): Promise<{ client: QmpClient; names: readonly string[] }> {
  const { signal } = context;
  const path = options['socket'];
  if (typeof path === 'string') return { client: await connect({ unix: path }, { signal }), names: words };
  const [domain, ...names] = words;
  if (domain === undefined) {
    throw new UsageError('neither a domain nor a socket', 'Name a DOMAIN, or give --socket PATH.');
  }
  return { client: (await connectToGuestEvents(context.host, domain, { signal })).client, names };
}

/** @returns how it ended, if QEMU ended it. */
async function print(
  { io, signal }: VerbContext,
  client: QmpClient,
  { names, count, json }: { names: readonly string[]; count: number; json: boolean },
): Promise<string | undefined> {
  const where = ({ event }: PrintableEvent) => names.length === 0 || names.includes(event);
  const onDropped = () => io.stderr('note: events came faster than they could be printed; some are missing\n');
  using events = client.events(undefined, { where, signal, onDropped });
  let printed = 0;
  try {
    for await (const event of events) {
      io.stdout(`${json ? JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...event }) : formatEvent(event)}\n`);
      if (++printed >= count) return undefined;
    }
  } catch (error) {
    // After SHUTDOWN this is what was to come.
    if (!(error instanceof QmpClosedError) || error.lastEvent?.event !== 'SHUTDOWN') throw error;
    return 'The guest has ended, and its QEMU.';
  }
  return undefined;
}

function parseCount(text: VerbOptionValues[string]): number {
  if (text === undefined) return Infinity;
  if (typeof text === 'string' && /^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`--count: not a number from 1 on`, 'Write --count 1.');
}
