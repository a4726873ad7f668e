import type { QmpSchema } from '@xenpt/qmp-sdk/schema';
import { parseArguments, pathsOf, placeOf, type Tree, withVariants } from './qmp-arguments.js';

const BUILT_IN = ['exit', 'help'];

/** What can follow in `COMMAND key=value …`, from the schema of this QEMU: commands, members, values. */
export function completeLine(
  schema: QmpSchema | undefined,
  line: string,
): readonly [candidates: readonly string[], replaced: string] {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const [command = ''] = words;
  if (words.length === 1 || (command === 'help' && words.length === 2)) {
    const names = [...(schema?.commands ?? []), ...(words.length === 1 ? BUILT_IN : [])];
    return [matching(names, last, ' '), last];
  }
  if (!schema?.has(command) || last.startsWith('{')) return [[], last];
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(last) ?? [];
  const given = parsedSoFar(schema, command, words.slice(1, -1));
  if (value !== undefined) {
    const place = placeOf(schema, command, key.split('.'), given);
    const values = [...(place?.values ?? []), ...(place?.kinds.has('bool') ? ['on', 'off'] : [])];
    return [matching(values, value, ' ').map((one) => `${key}=${one}`), last];
  }
  const members = describeArguments(schema, command, key.split('.').slice(0, -1), given).map(({ path }) => path);
  const taken = new Set(words.slice(1, -1).map((word) => word.split(/:?=/)[0]));
  return [
    matching(members, key, '')
      .filter((path) => !taken.has(path))
      .map((path) => `${path}=`),
    last,
  ];
}

export interface ArgumentDescription {
  /** `file.driver`. */
  readonly path: string;
  readonly optional: boolean;
  /** `one of a, b`, `int`, `object`. */
  readonly type: string;
}

/** The members that can stand at a place, those that another member's value brings included. */
export function describeArguments(
  schema: QmpSchema,
  command: string,
  parent: readonly string[] = [],
  given: Tree = {},
): ArgumentDescription[] {
  const level = parent.reduce<unknown>((one, key) => (one as Tree | undefined)?.[key], given);
  const bases = withVariants(pathsOf(schema, command, parent, given), level);
  return bases.flatMap((at) => {
    const steps = (tryDescribe(schema, at)?.steps ?? []).filter((step) => /^[A-Za-z_]/.test(step));
    return steps.map((name) => {
      const found = tryDescribe(schema, `${at}/${name}`);
      const values = (found?.steps ?? []).filter((step) => step.startsWith('^')).map((step) => step.slice(1));
      const kinds = (found?.steps ?? []).filter((step) => step.startsWith('!')).map((step) => step.slice(1));
      const type = [...kinds, ...(values.length > 0 ? [`one of ${values.join(', ')}`] : [])].join(', or ');
      const optional = tryDescribe(schema, `${at}/*${name}`) !== undefined;
      return { path: [...parent, name].join('.'), optional, type: type === '' ? 'object' : type };
    });
  });
}

function tryDescribe(schema: QmpSchema, path: string) {
  try {
    return schema.describe(path);
  } catch {
    return undefined;
  }
}

function matching(names: readonly string[], start: string, after: string): string[] {
  return names.filter((name) => name.startsWith(start)).map((name) => name + after);
}

function parsedSoFar(schema: QmpSchema, command: string, words: readonly string[]): Tree {
  try {
    return parseArguments(schema, command, words);
  } catch {
    return {};
  }
}
