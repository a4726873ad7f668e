import { generateTypes } from '@xenpt/qmp-sdk/schema';
import { ExitCode } from '../exit-code.js';
import { domainArgument, requireNoMore, socketOption, takeTarget } from '../qmp-target.js';
import type { Verb } from '../verb.js';
import { text } from '../json-schema.js';

export const qmpCodegen: Verb = {
  name: 'qmp codegen',
  summary: 'write TypeScript types of all commands and events of a QEMU, from its own schema',
  arguments: [domainArgument],
  options: [socketOption, { flags: '-o, --output <FILE>', description: 'default: standard output' }],
  examples: [
    ['xenpt qmp codegen --socket /run/vm.qmp -o qemu.ts', 'for connect<Commands, Events>(…)'],
    ['xenpt qmp codegen web -o qemu.ts', "of the QEMU that serves Xen's guests"],
  ],
  schema: { version: text },
  optionalSchema: { types: text, output: text },
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.busy, ExitCode.timeout, ExitCode.noHypervisor],
  run: async (context, words, options) => {
    const { target, rest } = takeTarget(context, words, options);
    requireNoMore(rest);
    const { schema, greeting } = await target.use(async (client) => ({
      schema: await client.execute('query-qmp-schema'),
      greeting: client.greeting,
    }));
    const { qemu, package: packageName } = greeting.version;
    const version = `${qemu.major}.${qemu.minor}.${qemu.micro}`;
    // Large, and needed here only.
    const { knownNames } = await import('@xenpt/qmp-sdk/types/names');
    const origin = `Of QEMU ${version}${packageName === '' ? '' : ` (${packageName})`}.`;
    const text = generateTypes(schema, { lock: knownNames(), origin });
    const output = options['output'];
    if (typeof output !== 'string') return { json: { version, types: text }, text: text.trimEnd() };
    context.io.writeFile(output, text);
    return { json: { version, output }, text: `${output}: the types of QEMU ${version}` };
  },
};
