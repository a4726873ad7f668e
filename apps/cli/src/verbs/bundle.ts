import { createBundle } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import type { Verb } from '../verb.js';
import { integer, list, object, text } from '../json-schema.js';

const DEFAULT_FILE = 'xenpt-bundle.tar.gz';

export const bundle: Verb = {
  name: 'bundle',
  summary:
    'write what list, show and doctor know of this host to one file, without secrets, for somebody else to look at',
  arguments: [],
  options: [{ flags: '-o, --output <FILE>', description: 'where to', default: DEFAULT_FILE }],
  sysroot: true,
  examples: [
    ['xenpt bundle -o host.tar.gz', 'as root, so that nothing is missing'],
    ['xenpt doctor --sysroot host.tar.gz', 'on any other machine'],
  ],
  schema: {
    bundle: object({ file: text, sizeBytes: integer, functionCount: integer, fileCount: integer }),
    notes: list(text),
  },
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, io }, _args, options) => {
    const file = typeof options['output'] === 'string' ? options['output'] : DEFAULT_FILE;
    const { archive, functionCount, fileCount, notes } = createBundle(host);
    io.writeFile(file, archive);
    return {
      json: { bundle: { file, sizeBytes: archive.length, functionCount, fileCount }, notes },
      text:
        `${file}: ${functionCount} functions, ${fileCount} files, ${Math.ceil(archive.length / 1024)} KiB\n` +
        'Serial numbers, network addresses, names of guests and unrelated settings were taken out.',
      notes,
    };
  },
};
