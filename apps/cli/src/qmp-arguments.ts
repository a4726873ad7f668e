import type { Json, JsonObject } from '@xenpt/qmp-sdk';
import type { QmpSchema } from '@xenpt/qmp-sdk/schema';
import { UsageError } from './usage-error.js';

export type Tree = { [member: string]: Json | Tree };

/**
 * The arguments of a command as a person types them: one JSON object, or `key=value` words. `file.driver=file`
 * reaches into an object, `size:=4096` takes JSON as it is; any other value becomes what the schema says of its
 * place, and what QEMU knows nothing of is a number or a switch if it looks like one.
 *
 * @throws UsageError
 */
export function parseArguments(schema: QmpSchema | undefined, command: string, words: readonly string[]): JsonObject {
  const [first = ''] = words;
  if (words.length === 1 && first.trimStart().startsWith('{')) return parseObject(first);
  const tree: Tree = {};
  for (const word of words) {
    const { keys, text, isJson } = splitWord(word);
    const parent = descend(tree, keys.slice(0, -1), word);
    const key = keys.at(-1) ?? '';
    if (Object.hasOwn(parent, key)) throw new UsageError(`"${keys.join('.')}" is given twice`, 'Give it once.');
    parent[key] = isJson ? parseJson(text, word) : typed(placeOf(schema, command, keys, tree), text, word);
  }
  return tree;
}

/** Whether {@link parseArguments} asks the schema. */
export function needsSchema(words: readonly string[]): boolean {
  return words.some((word) => !word.trimStart().startsWith('{') && !/^[^=]*:=/.test(word));
}

/** What the schema says of one value; undefined when it knows nothing of it. */
export interface Place {
  readonly isArray: boolean;
  /** Builtin kinds: `str`, `int`, `bool`, … */
  readonly kinds: ReadonlySet<string>;
  readonly values: readonly string[];
}

/** What the schema says of the value at a place. */
export function placeOf(
  schema: QmpSchema | undefined,
  command: string,
  keys: readonly string[],
  given: Tree,
): Place | undefined {
  const [path] = schema ? pathsOf(schema, command, keys, given) : [];
  const found = path === undefined ? undefined : schema?.describe(path);
  if (!found) return undefined;
  return {
    isArray: found.kind === 'array',
    kinds: new Set(found.steps.filter((step) => step.startsWith('!')).map((step) => step.slice(1))),
    values: found.steps.filter((step) => step.startsWith('^')).map((step) => step.slice(1)),
  };
}

/**
 * Where a place is in the schema, also one that is there only for the value of another: `size` of `blockdev-add
 * driver=null-co`.
 */
export function pathsOf(schema: QmpSchema, command: string, keys: readonly string[], given: Tree): string[] {
  let paths = exists(schema, command) ? [`${command}/arg-type`] : [];
  let level: Json | Tree | undefined = given;
  for (const key of keys) {
    paths = withVariants(paths, level)
      .map((base) => `${base}/${key}`)
      .filter((path) => exists(schema, path));
    level = isTree(level) ? level[key] : undefined;
  }
  return paths;
}

/** The paths, and what each becomes by the values that were given beside it. */
export function withVariants(paths: readonly string[], level: unknown): string[] {
  const tags = isTree(level) ? Object.values(level).filter((value) => typeof value === 'string') : [];
  return paths.flatMap((path) => [path, ...tags.map((tag) => `${path}/+${tag}`)]);
}

/** A word that a person typed may be no path at all. */
function exists(schema: QmpSchema, path: string): boolean {
  try {
    return schema.has(path);
  } catch {
    return false;
  }
}

function splitWord(word: string): { keys: string[]; text: string; isJson: boolean } {
  const [, key = '', colon = '', text = ''] = /^([^=:]+)(:?)=(.*)$/s.exec(word) ?? [];
  if (key === '') {
    throw new UsageError(
      `"${word}" is no argument`,
      'Write key=value, key:=JSON, or one JSON object in single quotes.',
    );
  }
  return { keys: key.split('.'), text, isJson: colon !== '' };
}

function descend(tree: Tree, keys: readonly string[], word: string): Tree {
  let level = tree;
  for (const key of keys) {
    if (!Object.hasOwn(level, key)) level[key] = {};
    const next = level[key];
    if (!isTree(next)) throw new UsageError(`"${word}": "${key}" has a value already`, 'Give one or the other.');
    level = next;
  }
  return level;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const truths: Readonly<Record<string, boolean>> = {
  ...{ true: true, on: true, yes: true },
  ...{ false: false, off: false, no: false },
};

function typed(place: Place | undefined, text: string, word: string): Json {
  if (!place) return guess(text);
  if (place.isArray) {
    if (text.startsWith('[')) return parseJson(text, word);
    return text === '' ? [] : text.split(',').map((item) => scalar(place, item, word));
  }
  return scalar(place, text, word);
}

function scalar({ kinds, values }: Place, text: string, word: string): Json {
  if (kinds.has('bool') && Object.hasOwn(truths, text)) return truths[text];
  if (kinds.has('int') && /^-?(\d+|0x[0-9a-f]+)$/i.test(text)) return integer(text);
  if (kinds.has('number') && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (kinds.has('null') && text === 'null') return null;
  if (values.includes(text) || kinds.has('str')) return text;
  if (kinds.has('any')) return guess(text);
  if (kinds.size === 0 && values.length === 0) return parseJson(text, word);
  const wanted = [...kinds].map((kind) => kindNames[kind] ?? kind);
  const oneOf = values.length > 0 ? [`one of ${values.join(', ')}`] : [];
  throw new UsageError(`"${word}": not ${[...wanted, ...oneOf].join(', nor ')}`, 'Correct the value.');
}

const kindNames: Readonly<Record<string, string>> = {
  int: 'an integer',
  number: 'a number',
  bool: 'on or off',
  null: 'null',
  str: 'text',
};

/** device_add takes any property of the device: QEMU's schema lists none of them. */
function guess(text: string): Json {
  if (/^-?\d+$/.test(text) || /^0x[0-9a-f]+$/i.test(text)) return integer(text);
  if (text === 'true' || text === 'on') return true;
  if (text === 'false' || text === 'off') return false;
  if (/^[[{]/.test(text)) return parseJson(text, text);
  return text;
}

function integer(text: string): number | bigint {
  const negative = text.startsWith('-');
  const value = BigInt(negative ? text.slice(1) : text) * (negative ? -1n : 1n);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function parseObject(text: string): JsonObject {
  const value = parseJson(text, text);
  if (isTree(value)) return value;
  throw new UsageError('the arguments are no JSON object', 'Write {"name": "value"} in single quotes.');
}

function parseJson(text: string, word: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new UsageError(
      `"${word}": not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Quote it for the shell: \'{"name": "value"}\'.',
    );
  }
}
