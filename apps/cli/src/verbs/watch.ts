import { type FunctionChange, type WatchedFunction, watchFunctions } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { describeOwner } from '../output/function.js';
import { SCHEMA_VERSION } from '../output/json.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';
import { functionChange } from '../output/inventory-schema.js';

const MAX_INTERVAL_SECONDS = 3600;

export const watch: Verb = {
  name: 'watch',
  summary: 'follow which functions come, go, and change their driver or owner; ends with Ctrl-C',
  arguments: [],
  options: [{ flags: '--interval <SECONDS>', description: 'between two looks', default: '1' }],
  examples: [
    ['xenpt watch', 'a line for each change'],
    ['xenpt watch --json', 'one JSON document on each line, for a program'],
  ],
  schema: functionChange,
  exitCodes: [ExitCode.failed],
  run: async ({ host, io, signal }, _words, options) => {
    const seconds = Number(options['interval']);
    if (!(seconds > 0 && seconds <= MAX_INTERVAL_SECONDS)) {
      throw new UsageError('--interval is no time', `Give seconds, up to ${MAX_INTERVAL_SECONDS}, such as 0.5.`);
    }
    for await (const change of watchFunctions(host, { intervalMs: seconds * 1000, signal })) {
      io.stdout(options.json ? `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, change })}\n` : format(change));
    }
    return {};
  },
};

function format({ address, before, after }: FunctionChange): string {
  const side = (fn: WatchedFunction | null, absent: string): string =>
    fn === null ? absent : `${fn.driver ?? 'no driver'}, ${describeOwner(fn.owner)}`;
  return `${address}  ${side(before, 'not there')} -> ${side(after, 'gone')}\n`;
}
