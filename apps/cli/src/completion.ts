import { aliases } from './lazy-verbs.js';
import type { Verb, VerbArgument } from './verb.js';

export interface Candidate {
  readonly word: string;
  /** One line; may be empty. */
  readonly description: string;
}

/** What is there at the moment; asked for only when an argument wants it. Each may be empty, none throws. */
export interface LiveValues {
  /** The functions of the host; `assignable`: those on pciback alone, or those of dom0's drivers alone. */
  readonly functions: (which: { readonly assignable?: boolean }) => readonly Candidate[];
  readonly domains: () => readonly Candidate[];
  readonly transactions: () => readonly Candidate[];
  /** What a guest's configuration gives it. */
  readonly configured: (file: string) => readonly Candidate[];
}

const everyVerb = [
  { flags: '--json', description: 'print one JSON document' },
  { flags: '--debug', description: 'show where an error comes from' },
  { flags: '-h, --help', description: 'usage, examples and exit codes' },
];

/**
 * What can stand at the end of a command line.
 *
 * @param words after the program's name; the last one is being typed and may be empty
 */
export function complete(words: readonly string[], verbs: readonly Verb[], live: LiveValues): Candidate[] {
  const partial = words.at(-1) ?? '';
  const before = expandAlias(words.slice(0, -1));
  const verb = findVerb(before, verbs);
  const candidates = [
    ...nextWords(before, verbs),
    ...(verb === undefined ? [] : verbCandidates(verb, before.slice(verb.name.split(' ').length), partial, live)),
  ];
  return candidates.filter(({ word }) => word.startsWith(partial));
}

function expandAlias(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words;
  return Object.hasOwn(aliases, first) ? [...(aliases[first] ?? '').split(' '), ...rest] : words;
}

function findVerb(words: readonly string[], verbs: readonly Verb[]): Verb | undefined {
  const named = (name: string) => verbs.find((verb) => verb.name === name);
  return named(words.slice(0, 2).join(' ')) ?? named(words[0] ?? '');
}

/** The next word of every verb's name that begins with these words, and xl's names at the beginning. */
function nextWords(words: readonly string[], verbs: readonly Verb[]): Candidate[] {
  const prefix = words.length === 0 ? '' : `${words.join(' ')} `;
  const found = new Map<string, string>();
  for (const { name, summary } of verbs) {
    if (!name.startsWith(prefix)) continue;
    const rest = name.slice(prefix.length).split(' ');
    const word = rest[0] ?? '';
    if (word !== '' && !found.has(word)) found.set(word, rest.length === 1 ? summary : `${word} …`);
  }
  const others = words.length === 0 ? Object.entries(aliases) : [];
  return [
    ...[...found].map(([word, description]) => ({ word, description })),
    ...others.map(([word, verb]) => ({ word, description: `the same as ${verb}` })),
  ];
}

function verbCandidates(
  verb: Verb,
  typed: readonly string[],
  partial: string,
  live: LiveValues,
): readonly Candidate[] {
  const options = [...(verb.options ?? []), ...everyVerb];
  if (takesValue(typed.at(-1), options)) return [];
  if (partial.startsWith('-')) {
    return options.flatMap(({ flags, description }) => {
      const word = /--[\w-]+/.exec(flags)?.[0];
      return word === undefined ? [] : [{ word, description }];
    });
  }
  const position = typed.filter((word, index) => !word.startsWith('-') && !takesValue(typed[index - 1], options));
  const { length } = position;
  const last = verb.arguments.at(-1);
  const argument = verb.arguments[length] ?? (last?.variadic ? last : undefined);
  const candidates = argument === undefined ? [] : valuesOf(argument, verb, position, live);
  return candidates.filter(({ word }) => !position.includes(word));
}

function takesValue(word: string | undefined, options: readonly { readonly flags: string }[]): boolean {
  if (!word?.startsWith('-')) return false;
  return options.some(({ flags }) => /[<[]/.test(flags) && flags.split(/[ ,]+/).includes(word));
}

function valuesOf(
  { name }: VerbArgument,
  verb: Verb,
  [first = '']: readonly string[],
  live: LiveValues,
): readonly Candidate[] {
  if (name.startsWith('BDF')) {
    if (verb.name === 'config remove') return live.configured(first);
    if (['attach', 'assignable remove'].includes(verb.name)) return live.functions({ assignable: true });
    return live.functions(verb.name === 'assignable add' ? { assignable: false } : {});
  }
  if (name === 'DOMAIN') return live.domains();
  return name === 'ID' ? live.transactions() : [];
}
