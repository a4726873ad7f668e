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
type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

export const text: JsonSchema = { type: 'string' };
export const textOrNull: JsonSchema = { type: ['string', 'null'] };
export const flag: JsonSchema = { type: 'boolean' };
export const integer: JsonSchema = { type: 'integer' };
export const number: JsonSchema = { type: 'number' };
export const integerOrNull: JsonSchema = { type: ['integer', 'null'] };
/** Ids and 64-bit values are exact text. */
export const hexText: JsonSchema = { type: 'string', pattern: '^0x[0-9a-f]+$' };
export const address: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$' };

export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
export const oneOf = (...values: readonly (string | null)[]): JsonSchema => ({ enum: values });

/** That, or null. */
export const nullable = (schema: JsonSchema): JsonSchema => ({
  ...schema,
  type: [...[schema.type ?? []].flat(), 'null'],
});

/** An object with all of these; more may be added within a schema version, so others are allowed. */
export function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

const draft = 'https://json-schema.org/draft/2020-12/schema';
const version: JsonSchema = { const: 1 };

/** A rule that calls a device not assignable. */
export const reason: JsonSchema = object({
  rule: text,
  message: text,
  cause: text,
  evidence: list(text),
  fix: textOrNull,
  override: {
    ...oneOf('accept-siblings', 'allow-critical', 'no-reset-ok', null),
    description: 'What sets it aside.',
  },
});

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
        reasons: { ...list(reason), description: 'Rules that call a device not assignable.' },
      },
      required: ['code', 'message', 'cause', 'next'],
    },
  }),
};

type SchemaSource = Pick<Verb, 'name' | 'schema' | 'optionalSchema'>;

/** The document that a verb prints with `--json` when it succeeds. */
export function schemaOf({ name, schema, optionalSchema = {} }: SchemaSource): JsonSchema {
  const { properties, required = [] } = object({ schemaVersion: version, ...schema });
  return {
    $schema: draft,
    title: `xenpt ${name}`,
    type: 'object',
    properties: { ...properties, ...optionalSchema },
    required,
  };
}
