import { errorSchema, schemaOf } from '../json-schema.js';
import { ExitCode } from '../exit-code.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';

export const schema: Verb = {
  name: 'schema',
  summary: 'print the JSON Schema of what a verb prints with --json',
  arguments: [
    {
      name: 'VERB',
      description: 'such as undo or assignable add; left out: of an error',
      variadic: true,
      optional: true,
    },
  ],
  examples: [
    ['xenpt schema', 'of the error that every verb can print'],
    ['xenpt schema assignable add', 'of its document when it succeeds'],
  ],
  schema: { schema: { type: 'object' } },
  exitCodes: [ExitCode.notFound],
  run: async (_context, words) => {
    if (words.length === 0) return printed(errorSchema);
    const { verbs } = await import('./index.js');
    const name = words.join(' ');
    const verb = verbs.find((each) => each.name === name);
    if (verb === undefined) throw new UsageError(`there is no verb "${name}"`, 'See xenpt --help.');
    return printed(schemaOf(verb));
  },
};

function printed(document: object) {
  return { json: { schema: document }, text: JSON.stringify(document, null, 2) };
}
