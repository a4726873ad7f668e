import { type Rule, rules } from '@xenpt/pci';
import { nearest } from '@xenpt/pci/grammar';
import { formatColumns } from '../output/columns.js';
import { PLAIN_COLUMNS, wrapWords } from '../output/wrap.js';
import type { Style } from '../output/style.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';
import { list } from '../json-schema.js';
import { ruleText } from '../output/inventory-schema.js';

export const explain: Verb = {
  name: 'explain',
  summary: 'explain a rule of list, show and doctor: why it is, what it does, what to do',
  arguments: [{ name: 'RULE', description: 'name of the rule; left out: list them all', optional: true }],
  examples: [
    ['xenpt explain', 'every rule'],
    ['xenpt explain group-incomplete', 'one of them, at length'],
  ],
  schema: {},
  optionalSchema: { rules: list(ruleText), rule: ruleText },
  exitCodes: [],
  run: ({ style }, [name]) => {
    if (name === undefined) return { json: { rules: rules.map(toJson) }, text: listText(style) };
    const rule = rules.find(({ id }) => id === name);
    if (rule === undefined) throw unknown(name);
    return { json: { rule: toJson(rule) }, text: toText(rule, style) };
  },
};

function unknown(name: string): UsageError {
  const near = nearest(
    name,
    rules.map(({ id }) => id),
  );
  const next = near.length === 0 ? 'See `xenpt explain` for all of them.' : `Did you mean ${near.join(' or ')}?`;
  return new UsageError(`there is no rule "${name}"`, next);
}

function toJson({ id, scope, title, cause, consequence, remedy }: Rule) {
  return { id, scope, title, cause, consequence, remedy };
}

function listText(style: Style): string {
  const columns = [{ title: 'RULE', paint: style.strong }, { title: 'LOOKS AT' }, { title: 'WHAT IT FINDS' }];
  return formatColumns(style, columns, rules.map(({ id, scope, title }) => [id, scope, title])); // prettier-ignore
}

function toText({ id, title, cause, consequence, remedy }: Rule, style: Style): string {
  const part = (head: string, text: string) => [
    '',
    style.strong(head),
    ...wrapWords(text, PLAIN_COLUMNS - 2).map((line) => `  ${line}`),
  ];
  return [
    `${style.strong(id)}  ${title}`,
    ...part('Why', cause),
    ...part('What it does', consequence),
    ...part('What to do', remedy),
  ].join('\n');
}
