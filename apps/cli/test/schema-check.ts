import { errorSchema, type JsonSchema, schemaOf } from '../src/json-schema.js';
import { withoutAlias } from '../src/lazy-verbs.js';
import type { Verb } from '../src/verb.js';
import { verbs } from '../src/verbs/index.js';

/** Where a value is not as the schema says; only what the schemas here use. */
export function mistakes(schema: JsonSchema, value: unknown, path = '$'): string[] {
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  const type = typeOf(value);
  const fits = (each: string) => each === type || (each === 'number' && type === 'integer');
  if (types && !types.some(fits)) return [`${path} is ${type}`];
  if ('const' in schema && value !== schema.const) return [`${path} is not ${String(schema.const)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${path} is none of ${schema.enum.join()}`];
  if (type === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value as string)) {
    return [`${path} is malformed`];
  }
  if (type === 'array') {
    return (value as unknown[]).flatMap((each, index) => mistakes(schema.items ?? {}, each, `${path}[${index}]`));
  }
  if (type !== 'object') return [];
  const fields = value as Readonly<Record<string, unknown>>;
  return [
    ...(schema.required ?? []).filter((name) => !(name in fields)).map((name) => `${path}.${name} is missing`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
      name in fields ? mistakes(inner, fields[name], `${path}.${name}`) : [],
    ),
  ];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

/** The verb that a command line names. */
export function verbOf(line: string): Verb | undefined {
  const [first = '', second = ''] = withoutAlias(line.split(' ').filter(Boolean));
  return [`${first} ${second}`, first].map((name) => verbs.find((verb) => verb.name === name)).find(Boolean);
}

/** Every document that a command line has printed, against the published schema of its verb, or that of errors. */
export function checkDocuments(line: string, stdout: string): void {
  const verb = verbOf(line);
  if (verb === undefined || !/ --json(?: |$)/.test(line) || stdout === '') return;
  const wrong = documentsIn(stdout).flatMap((document) =>
    mistakes('error' in document ? errorSchema : schemaOf(verb), document),
  );
  if (wrong.length > 0) throw new Error(`"${line}" printed what is not as its schema says: ${wrong.join('; ')}`);
}

/** One document, or one on each line. */
function documentsIn(stdout: string): Record<string, unknown>[] {
  const text = stdout.trimEnd();
  const texts = text.startsWith('{\n') ? [text] : text.split('\n');
  return texts.map((one) => JSON.parse(one) as Record<string, unknown>);
}
