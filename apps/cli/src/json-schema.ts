import type { Verb } from './verb.js';

/** The part of JSON Schema (draft 2020-12) that the documents need. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
}
type JsonType = 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'null';

export const text: JsonSchema = { type: 'string' };
export const textOrNull: JsonSchema = { type: ['string', 'null'] };
export const flag: JsonSchema = { type: 'boolean' };
export const integer: JsonSchema = { type: 'integer' };
export const address: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$' };

export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
export const oneOf = (...values: readonly (string | null)[]): JsonSchema => ({ enum: values });

/** An object with all of these; more may be added within a schema version, so others are allowed. */
export function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

const draft = 'https://json-schema.org/draft/2020-12/schema';
const version: JsonSchema = { const: 1 };

/** What every verb prints with `--json` when it fails. */
export const errorSchema: JsonSchema = {
  $schema: draft,
  title: 'xenpt: an error',
  ...object({
    schemaVersion: version,
    error: {
      type: 'object',
      properties: {
        code: { ...text, description: 'Stable; the messages are not.' },
        message: text,
        cause: textOrNull,
        next: { ...textOrNull, description: 'What to do.' },
        step: text,
        outcome: oneOf('untouched', 'rolled-back', 'incomplete'),
        leftovers: list(text),
      },
      required: ['code', 'message', 'cause', 'next'],
    },
  }),
};

/** The document that a verb prints with `--json` when it succeeds. */
export function schemaOf({ name, schema = {} }: Pick<Verb, 'name' | 'schema'>): JsonSchema {
  return { $schema: draft, title: `xenpt ${name}`, ...object({ schemaVersion: version, ...schema }) };
}
