import { documentation, quoted } from './emit-comments.js';
import type { ModelMember, ModelObject, ModelType, ModelVariant } from './model.js';
import { emptyName } from './names.js';

/** `in`: something we send. `out`: something QEMU sends. */
export type Flavour = 'in' | 'out';

/** What the emitter calls each type, and where each is used. */
export interface TypeNames {
  readonly types: ReadonlyMap<string, ModelType>;
  readonly incoming: ReadonlySet<string>;
  readonly outgoing: ReadonlySet<string>;
  /** Types used both ways have a second name for what we send. */
  readonly inputNames: ReadonlyMap<string, string>;
  readonly taken: ReadonlySet<string>;
  /** Argument types that take members their schema does not name. */
  readonly open: ReadonlySet<string>;
}

/** The declarations of one type: none, one, or one for each direction it is used in. */
export function emitType(type: ModelType, names: TypeNames): readonly string[] {
  if (type.name === emptyName || !names.taken.has(type.name)) return [];
  if (type.kind === 'builtin' || type.kind === 'array') return [];
  if (type.kind === 'enum') {
    return [`${documentation(type, '')}export type ${type.name} =${emitValues(type.values)};\n`];
  }
  const flavours: readonly Flavour[] = names.inputNames.has(type.name)
    ? ['out', 'in']
    : [names.incoming.has(type.name) ? 'in' : 'out'];
  return flavours.map((flavour) => {
    const name = flavour === 'in' ? (names.inputNames.get(type.name) ?? type.name) : type.name;
    if (type.kind === 'object') return emitObject(type, name, flavour, names);
    return `${documentation(type, '')}export type ${name} = ${reference(type.branches, flavour, names)};\n`;
  });
}

function emitValues(values: readonly Parameters<typeof documentation>[0][]): string {
  if (values.length === 0) return ' never';
  return values.map((value) => `\n${documentation(value, '  ')}  | ${quoted(value.name)}`).join('');
}

/** The text for a type; several types are a union. `empty` is the text for an object without members. */
export function reference(
  types: readonly string[],
  flavour: Flavour,
  names: TypeNames,
  empty = 'Record<string, never>',
): string {
  return [...new Set(types.map((type) => referenceOne(type, flavour, names, empty)))].join(' | ');
}

function referenceOne(name: string, flavour: Flavour, names: TypeNames, empty: string): string {
  if (name === emptyName) return empty;
  const type = names.types.get(name);
  switch (type?.kind) {
    case 'builtin':
      return builtinText[flavour][type.json];
    case 'array': {
      const element = reference([type.element], flavour, names);
      const text = /^\w+(\[\])*$/.test(element) ? `${element}[]` : `(${element})[]`;
      return flavour === 'in' ? `readonly ${text}` : text;
    }
    case 'enum':
      return flavour === 'out' ? `Open<${name}>` : name;
    default:
      return flavour === 'in' ? (names.inputNames.get(name) ?? name) : name;
  }
}

const results = {
  string: 'string',
  number: 'number',
  int: 'number',
  boolean: 'boolean',
  null: 'null',
  object: 'Record<string, unknown>',
  array: 'unknown[]',
  value: 'unknown',
};

const builtinText = { out: results, in: { ...results, number: 'number | bigint', int: 'number | bigint' } };

function emitObject(type: ModelObject, name: string, flavour: Flavour, names: TypeNames): string {
  const comment = documentation(type, '');
  const isUnion = type.tag !== undefined && type.variants.length > 0;
  const base = type.members.filter((member) => !isUnion || member.name !== type.tag);
  const lines = base.map((member) => emitMember(member, flavour, names));
  if (names.open.has(type.name)) lines.push('  /** Any property of the device. */\n  [property: string]: unknown;\n');
  if (!isUnion) return `${comment}export interface ${name} {\n${lines.join('')}}\n`;
  const arms = emitArms(type, flavour, names);
  const common = lines.length > 0 ? `{\n${lines.join('')}} & ` : '';
  return `${comment}export type ${name} = ${common}(${arms}\n);\n`;
}

function emitMember(member: ModelMember, flavour: Flavour, names: TypeNames): string {
  const text = reference(member.types, flavour, names);
  // A member that is `undefined` is not sent, so arguments may say so.
  const absent = member.optional && flavour === 'in' && text !== 'unknown' ? ' | undefined' : '';
  const key = /^[A-Za-z_]\w*$/.test(member.name) ? member.name : quoted(member.name);
  return `${documentation(member, '  ')}  ${key}${member.optional ? '?' : ''}: ${text}${absent};\n`;
}

/** One arm for all values of the tag that lead to the same members. */
function emitArms(type: ModelObject, flavour: Flavour, names: TypeNames): string {
  const tag = quoted(type.tag ?? '');
  const byText = new Map<string, string[]>();
  const add = (text: string, value: string) => byText.set(text, [...(byText.get(text) ?? []), value]);
  for (const variant of type.variants) add(armText(variant, flavour, names), quoted(variant.name));
  for (const value of tagValuesWithoutVariant(type, names)) add('', quoted(value));
  const arms = [...byText].map(([text, values]) => `\n  | ({ ${tag}: ${values.join(' | ')} }${text})`);
  const isTagOptional = type.members.some(({ name, optional }) => name === type.tag && optional);
  return arms.join('') + (isTagOptional ? `\n  | { ${tag}?: undefined }` : '');
}

function armText(variant: ModelVariant, flavour: Flavour, names: TypeNames): string {
  const types = variant.types.filter((type) => type !== emptyName);
  if (types.length === 0) return '';
  const text = reference(types, flavour, names);
  // A version that has no members for this value, and one that has: they may be there.
  if (variant.partial || types.length < variant.types.length) return ` & Partial<${text}>`;
  return ` & ${types.length > 1 ? `(${text})` : text}`;
}

function tagValuesWithoutVariant(type: ModelObject, names: TypeNames): readonly string[] {
  const member = type.members.find(({ name }) => name === type.tag);
  const known = new Set(type.variants.map(({ name }) => name));
  return (member?.types ?? []).flatMap((name) => {
    const tagType = names.types.get(name);
    if (tagType?.kind !== 'enum') return [];
    return tagType.values.map((value) => value.name).filter((value) => !known.has(value));
  });
}
