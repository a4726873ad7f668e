import { dialectExamples } from '@xenpt/pci/grammar';
import { conceptSections } from './man-concepts.js';
import { ExitCode, exitCodeMeanings } from './exit-code.js';
import { aliases } from './lazy-verbs.js';
import type { Verb, VerbArgument } from './verb.js';

export const manPageNames = ['xenpt.1', 'xenpt-pci-spec.5', 'xenpt-concepts.7'] as const;

/** The pages of the manual in roff, from what `--help` is made of. */
export function manPages(verbs: readonly Verb[], version: string): Readonly<Record<string, string>> {
  const [commands, grammar, concepts] = manPageNames;
  return {
    [commands]: page(commands, version, 'PCI passthrough for Xen from the command line', [
      ['SYNOPSIS', '.B xenpt\n.I VERB\n[options] [arguments]'],
      [
        'DESCRIPTION',
        paragraphs(['What PCI devices a Xen host has, whose they are, and giving them to guests and back.']),
      ],
      ['VERBS', verbs.map((verb) => describeVerb(verb)).join('\n')],
      [
        'OPTIONS OF EVERY VERB',
        terms([
          ['--json', jsonOption],
          ['--debug', 'Show where an error comes from.'],
        ]),
      ],
      ['NAMES OF XL', terms(Object.entries(aliases).map(([name, verb]) => [name, `The same as ${verb}.`]))],
      ['EXIT STATUS', terms(Object.values(ExitCode).map((code) => [String(code), `${exitCodeMeanings[code]}.`]))],
      ['ENVIRONMENT', terms([['NO_COLOR', 'Switches colours off when it is not empty.']])],
      ['FILES', terms(files)],
      ['SEE ALSO', paragraphs(['xenpt-pci-spec(5), xenpt-concepts(7), xl(1), xl.cfg(5)'])],
    ]),
    [grammar]: page(grammar, version, 'how a PCI device is written', [
      ['DESCRIPTION', paragraphs(grammarText)],
      ['DIALECTS', terms(Object.values(dialectExamples).map(([form, meaning]) => [form, `${sentence(meaning)}.`]))],
      ['SEE ALSO', paragraphs(['xenpt(1), xl-pci-configuration(5)'])],
    ]),
    [concepts]: page(concepts, version, 'what passthrough on Xen is made of', [
      ...conceptSections.map(([title, ...texts]) => [title, paragraphs(texts)] as const),
      ['SEE ALSO', paragraphs(['xenpt(1), xenpt-pci-spec(5)'])],
    ]),
  };
}

const jsonOption =
  'Print one JSON document, errors too. Fields are only ever added within a schemaVersion; ids and ' +
  '64-bit values are text.';

const files: readonly (readonly [string, string])[] = [
  ['/var/lib/xenpt/journal', 'One file for each transaction: undo and recover read it.'],
  ['/etc/xenpt/assignments.json', 'What is kept assignable over restarts, by identity: assignable add --persist.'],
  ['/run/xenpt', 'Locks, sockets and grants, gone after a restart like what they describe.'],
  ['/var/log/xenpt', 'What the device models say.'],
];

const grammarText = [
  'All numbers are hexadecimal; the device goes up to 1f, the function up to 7. A mistake is told with ' +
    'its column and with what was probably meant. Linux numbers what is behind an Intel VMD controller in ' +
    'segments above ffff; those are read, and refused where Xen, whose segments end at ffff, has to know ' +
    'the device.',
];

function describeVerb(verb: Verb): string {
  const words = [verb.name, ...verb.arguments.map(formatArgument)].join(' ');
  const options = (verb.options ?? []).map(({ flags, description }) => [flags, `${sentence(description)}.`] as const);
  const examples = verb.examples.map(
    ([command, meaning]) => [command, meaning === '' ? '' : `${sentence(meaning)}.`] as const,
  );
  return [
    `.SS ${quoted(words)}`,
    escape(`${sentence(verb.summary)}.`),
    terms([
      ...verb.arguments.map(({ name, description }) => [name, `${sentence(description)}.`] as const),
      ...options,
    ]),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:', terms(examples)]),
    '.PP',
    escape(`Ends with ${[...new Set([0, 2, ...verb.exitCodes])].sort((a, b) => a - b).join(', ')}.`),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function formatArgument({ name, variadic, optional }: VerbArgument): string {
  const whole = `${name}${variadic ? '...' : ''}`;
  return optional ? `[${whole}]` : whole;
}

function page(
  name: string,
  version: string,
  summary: string,
  sections: readonly (readonly [title: string, body: string])[],
): string {
  const [title = '', section = ''] = name.split(/\.(?=\d$)/);
  return [
    `.TH ${title.toUpperCase().replaceAll('-', '\\-')} ${section} "" "xenpt ${version}" "xenpt"`,
    '.SH NAME',
    escape(`${title} - ${summary}`).replace(' \\- ', ' \\- '),
    ...sections.flatMap(([heading, body]) => [`.SH ${quoted(heading)}`, body]),
    '',
  ].join('\n');
}

function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => `.PP\n${escape(text)}`).join('\n');
}

function terms(list: readonly (readonly [term: string, description: string])[]): string {
  return list.map(([term, description]) => `.TP\n.B ${quoted(term)}\n${escape(description)}`).join('\n');
}

/** In roff a hyphen may become another sign; a backslash begins a request, and so does a dot at a line's start. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

function quoted(text: string): string {
  return `"${escape(text).replaceAll('"', '\\(dq')}"`;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return capital.replace(/\.$/, '');
}
