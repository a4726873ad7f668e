import fc from 'fast-check';
import type { EntityTable, SchemaEntity, TypeEntity } from '../../src/schema/entities.js';

const builtins: readonly SchemaEntity[] = [
  { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
  { name: 'number', 'meta-type': 'builtin', 'json-type': 'number' },
  { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' },
  { name: 'null', 'meta-type': 'builtin', 'json-type': 'null' },
  { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
];
const empty: SchemaEntity = { name: '0', 'meta-type': 'object', members: [] };
const scalars = ['str', 'int', 'number', 'bool', 'null', 'any'] as const;
const memberStems = [
  'id',
  'node-name',
  'x-speed',
  'class',
  'default',
  'io_range',
  "it's",
  'back\\slash',
  '1st',
  'of*/',
];
const featureSets = [[], [], [], ['deprecated'], ['unstable'], ['json-cli', '*/ evil'], ['deprecated', 'fdset']];

interface TypeSeed {
  readonly kind: 'enum' | 'object' | 'union' | 'alternate';
  readonly picks: readonly number[];
}

const typeSeed: fc.Arbitrary<TypeSeed> = fc.record({
  kind: fc.constantFrom('enum', 'object', 'object', 'union', 'alternate'),
  picks: fc.array(fc.nat(9999), { minLength: 6, maxLength: 18 }),
});

/** A schema as a QEMU could send it: numbered types, recursion through optional members and arrays, features. */
export const schemas: fc.Arbitrary<readonly SchemaEntity[]> = fc
  .record({
    types: fc.array(typeSeed, { minLength: 1, maxLength: 10 }),
    ends: fc.array(fc.nat(9999), { minLength: 8, maxLength: 30 }),
  })
  .map(({ types, ends }) => buildSchema(types, ends));

/** Hands out the numbers of a list, over and over. */
function picker(picks: readonly number[]): (below: number) => number {
  let next = 0;
  return (below) => (below === 0 ? 0 : ((picks[next++ % picks.length] ?? 0) + next * 7) % below);
}

function buildSchema(seeds: readonly TypeSeed[], ends: readonly number[]): readonly SchemaEntity[] {
  const built: SchemaEntity[] = [];
  const arrays = new Set<string>();
  const kinds = seeds.map(({ kind }) => kind);
  seeds.forEach((seed, index) => {
    const pick = picker(seed.picks);
    const below = (kind: (one: TypeSeed['kind']) => boolean) =>
      [...kinds.keys()]
        .filter((other) => other < index && kind(kinds[other] ?? 'enum'))
        .map((other) => `${other + 1}`);
    const anyType = () => (pick(2) === 0 ? (scalars[pick(scalars.length)] ?? 'str') : `${pick(seeds.length) + 1}`);
    const arrayOf = (type: string) => {
      arrays.add(type);
      return `[${type}]`;
    };
    /** Something that a value can always be made of: no way back to this type but through what may be left out. */
    const finite = () => {
      const lower = below(() => true);
      const choice = pick(3);
      if (choice === 0 && lower.length > 0) return lower[pick(lower.length)] ?? 'str';
      return choice === 1 ? arrayOf(anyType()) : (scalars[pick(scalars.length)] ?? 'str');
    };
    built.push(buildType(index, seed.kind, { pick, below, anyType, arrayOf, finite }));
    if (seed.kind === 'union') built.push(tagEnum(index, pick(3) + 1));
  });
  const pick = picker(ends);
  const objects = [
    '0',
    ...kinds.flatMap((kind, index) => (kind === 'object' || kind === 'union' ? [`${index + 1}`] : [])),
  ];
  for (let number = 0; number < 4; number++) {
    const result = pick(3) === 0 ? '0' : `${pick(seeds.length) + 1}`;
    if (pick(2) === 0) arrays.add(result);
    built.push({
      'meta-type': 'command',
      name: `${pick(4) === 0 ? 'x-' : ''}query-thing${number}`,
      'arg-type': objects[pick(objects.length)] ?? '0',
      'ret-type': arrays.has(result) && pick(2) === 0 ? `[${result}]` : result,
      ...(pick(3) === 0 && { 'allow-oob': true }),
      features: featureSets[pick(featureSets.length)] ?? [],
    });
  }
  built.push({ 'meta-type': 'event', name: 'THING_DONE', 'arg-type': objects[pick(objects.length)] ?? '0' });
  const arrayTypes = [...arrays].map((type): SchemaEntity => ({
    name: `[${type}]`,
    'meta-type': 'array',
    'element-type': type,
  }));
  return [...builtins, empty, ...built, ...arrayTypes];
}

interface Choices {
  readonly pick: (below: number) => number;
  readonly below: (kind: (one: TypeSeed['kind']) => boolean) => readonly string[];
  readonly anyType: () => string;
  readonly arrayOf: (type: string) => string;
  readonly finite: () => string;
}

function buildType(index: number, kind: TypeSeed['kind'], choices: Choices): TypeEntity {
  const { pick, below, anyType, arrayOf, finite } = choices;
  const name = `${index + 1}`;
  const features = featureSets[pick(featureSets.length)] ?? [];
  if (kind === 'enum') {
    const members = Array.from({ length: pick(4) + 1 }, (_, value) => ({
      name: value === 2 ? "2'\\" : `value-${value}`,
    }));
    return { name, 'meta-type': 'enum', members, values: members.map((member) => member.name) };
  }
  if (kind === 'alternate') {
    const enums = below((other) => other === 'enum');
    const objects = below((other) => other === 'object' || other === 'union');
    const branches = [
      enums.length > 0 && pick(2) === 0 ? enums[pick(enums.length)] : 'str',
      pick(2) === 0 ? 'int' : undefined,
      pick(2) === 0 ? 'null' : undefined,
      objects.length > 0 ? objects[pick(objects.length)] : 'bool',
      pick(3) === 0 ? arrayOf(anyType()) : undefined,
    ].filter((type) => type !== undefined);
    return { name, 'meta-type': 'alternate', members: branches.map((type) => ({ type })) };
  }
  // Names are the type's own, so that a base and its variants never have the same one.
  const members = Array.from({ length: pick(4) + (kind === 'object' ? 1 : 0) }, (_, number) => {
    const stem = memberStems[pick(memberStems.length)] ?? 'id';
    const isOptional = pick(2) === 0;
    const type = isOptional ? (pick(3) === 0 ? arrayOf(anyType()) : anyType()) : finite();
    const member = {
      name: `${stem}-${index}-${number}`,
      type,
      features: featureSets[pick(featureSets.length)] ?? [],
    };
    return isOptional ? { ...member, default: null } : member;
  });
  if (kind === 'object') return { name, 'meta-type': 'object', members, features };
  const arms = ['0', ...below((other) => other === 'object' || other === 'union')];
  const variants = Array.from({ length: 3 }, (_, number) => ({
    case: `case_${number}`,
    type: arms[pick(arms.length)] ?? '0',
  })).slice(0, pick(3) + 1);
  const tag = { name: `type-${index}`, type: tagName(index) };
  return { name, 'meta-type': 'object', members: [tag, ...members], tag: tag.name, variants };
}

const tagName = (index: number) => `${1000 + index}`;

/** The values of a tag: all that variants have, and maybe more. */
function tagEnum(index: number, more: number): SchemaEntity {
  const names = ['case_0', 'case_1', 'case_2', ...Array.from({ length: more }, (_, number) => `other-${number}`)];
  return { name: tagName(index), 'meta-type': 'enum', values: names };
}

const strings = ['', 'plain', "it's", 'two\nlines', '\\', '"', '\u2028', '💡'];
const integers = [0, -1, 42, 2 ** 31, Number.MAX_SAFE_INTEGER];
const anything = [null, true, 'any', 1.5, [1, 'two'], { deep: { deeper: [] } }];

/** A value of a type, as the numbers say. Deep ones leave out what can be left out, so that there is an end. */
export function valueOf(types: EntityTable['types'], type: string, picks: readonly number[]): unknown {
  const pick = picker(picks);
  const make = (name: string, depth: number): unknown => {
    const entity = types.get(name);
    switch (entity?.['meta-type']) {
      case 'builtin':
        return scalar(name, pick);
      case 'enum': {
        const values = entity.members?.map((member) => member.name) ?? entity.values ?? [];
        return values[pick(values.length)];
      }
      case 'array':
        return Array.from({ length: depth > 4 ? 0 : pick(3) }, () => make(entity['element-type'], depth + 1));
      case 'alternate': {
        const branch = entity.members[depth > 4 ? 0 : pick(entity.members.length)];
        return make(branch?.type ?? 'str', depth + 1);
      }
      case 'object':
        return Object.fromEntries(members(entity, depth));
      default:
        return undefined;
    }
  };
  const members = (entity: Extract<TypeEntity, { 'meta-type': 'object' }>, depth: number): [string, unknown][] => {
    const own = entity.members
      .filter((member) => !('default' in member) || (depth < 4 && pick(2) === 0))
      .map((member): [string, unknown] => [member.name, make(member.type, depth + 1)]);
    const chosen = own.find(([name]) => name === entity.tag)?.[1];
    const arm = types.get((entity.variants ?? []).find((variant) => variant.case === chosen)?.type ?? '');
    return arm?.['meta-type'] === 'object' ? [...own, ...members(arm, depth + 1)] : own;
  };
  return make(type, 0);
}

function scalar(name: string, pick: (below: number) => number): unknown {
  switch (name) {
    case 'str':
      return strings[pick(strings.length)];
    case 'int':
      return integers[pick(integers.length)];
    case 'number':
      return pick(2) === 0 ? 0.5 : integers[pick(integers.length)];
    case 'bool':
      return pick(2) === 0;
    case 'null':
      return null;
    default:
      return anything[pick(anything.length)];
  }
}
