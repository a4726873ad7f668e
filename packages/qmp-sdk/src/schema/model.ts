import {
  type AlternateEntity,
  type EntityTable,
  type EnumEntity,
  type JsonKind,
  type ObjectEntity,
  type TypeEntity,
  enumMembers,
} from './entities.js';

/**
 * A schema made ready for the emitter: one QEMU, or the union of several. Type names are stable ones; `[Name]` is an
 * array. Where several QEMUs differ in the type of something, `types` has all of them.
 */
export interface SchemaModel {
  readonly commands: readonly ModelCommand[];
  readonly events: readonly ModelEvent[];
  readonly types: ReadonlyMap<string, ModelType>;
}

/** In which of the recorded versions something is, seen from the versions its owner is in. Absent: in all of them. */
export interface Span {
  /** First version that has it, and the one before, which has not. */
  readonly since?: { readonly version: string; readonly absentIn: string };
  /** Last version that has it, and the next, which has not. */
  readonly until?: { readonly version: string; readonly absentIn: string };
}

interface Annotated {
  readonly name: string;
  readonly features: readonly string[];
  readonly span: Span;
}

export interface ModelCommand extends Annotated {
  readonly args: readonly string[];
  readonly result: readonly string[];
  readonly oob: boolean;
}

export interface ModelEvent extends Annotated {
  readonly data: readonly string[];
}

export interface ModelMember extends Annotated {
  readonly types: readonly string[];
  readonly optional: boolean;
}

export interface ModelVariant extends Annotated {
  readonly types: readonly string[];
  /** Some version lets the tag have this value without having these members. */
  readonly partial: boolean;
}

export type ModelType =
  | { readonly kind: 'builtin'; readonly name: string; readonly json: JsonKind }
  | { readonly kind: 'array'; readonly name: string; readonly element: string }
  | (Annotated & { readonly kind: 'enum'; readonly values: readonly Annotated[] })
  | (Annotated & { readonly kind: 'alternate'; readonly branches: readonly string[] })
  | ModelObject;

export interface ModelObject extends Annotated {
  readonly kind: 'object';
  readonly members: readonly ModelMember[];
  readonly tag: string | undefined;
  /** `name` is the value of the tag. */
  readonly variants: readonly ModelVariant[];
}

/** One schema with stable names, and the version it counts for; several builds may count for the same version. */
export interface VersionedTable {
  readonly version: string;
  readonly table: EntityTable;
}

/**
 * The union of schemas with stable names, oldest first. A member is optional when it is so in any, or absent from any
 * that has its owner.
 */
export function mergeSchemas(parts: readonly VersionedTable[]): SchemaModel {
  const everywhere = parts.map(({ version }) => version);
  const commands = collect(parts, ({ table }) => table.commands.values()).map(({ name, found }) => ({
    ...annotations(name, found, everywhere),
    args: distinct(found.map(({ value }) => value['arg-type'])),
    result: distinct(found.map(({ value }) => value['ret-type'])),
    oob: found.some(({ value }) => value['allow-oob'] === true),
  }));
  const events = collect(parts, ({ table }) => table.events.values()).map(({ name, found }) => ({
    ...annotations(name, found, everywhere),
    data: distinct(found.map(({ value }) => value['arg-type'])),
  }));
  const types = collect(parts, ({ table }) => table.types.values()).map(({ name, found }): [string, ModelType] => [
    name,
    mergeType(name, found, everywhere),
  ]);
  return { commands, events, types: new Map(types) };
}

interface Found<T> extends VersionedTable {
  readonly value: T;
}

type Item = { readonly name: string; readonly features?: readonly string[] };

/** Things by name, sorted, each with where it was found. */
function collect<Part extends VersionedTable, T extends Item>(
  parts: readonly Part[],
  of: (part: Part) => Iterable<T>,
  order: 'sorted' | 'as-is' = 'sorted',
): readonly { readonly name: string; readonly found: readonly Found<T>[] }[] {
  const byName = new Map<string, Found<T>[]>();
  for (const part of parts) {
    for (const value of of(part)) {
      const list = byName.get(value.name) ?? [];
      list.push({ version: part.version, table: part.table, value });
      byName.set(value.name, list);
    }
  }
  const names = [...byName.keys()];
  if (order === 'sorted') names.sort();
  return names.map((name) => ({ name, found: byName.get(name) ?? [] }));
}

function mergeType(name: string, found: readonly Found<TypeEntity>[], everywhere: readonly string[]): ModelType {
  const newest = found.at(-1)?.value;
  const common = annotations(name, found, everywhere);
  switch (newest?.['meta-type']) {
    case 'object':
      return { ...common, ...mergeObject(ofKind<ObjectEntity>(found, 'object')) };
    case 'enum':
      return { ...common, ...mergeEnum(ofKind<EnumEntity>(found, 'enum')) };
    case 'alternate': {
      const branches = ofKind<AlternateEntity>(found, 'alternate').flatMap(({ value }) => value.members);
      return { ...common, kind: 'alternate', branches: distinct(branches.map(({ type }) => type)) };
    }
    case 'array':
      return { kind: 'array', name, element: newest['element-type'] };
    default:
      return { kind: 'builtin', name, json: newest?.['json-type'] ?? 'value' };
  }
}

function ofKind<T extends TypeEntity>(
  found: readonly Found<TypeEntity>[],
  kind: T['meta-type'],
): readonly Found<T>[] {
  return found.filter((one): one is Found<T> => one.value['meta-type'] === kind);
}

function mergeObject(found: readonly Found<ObjectEntity>[]) {
  const owners = found.map(({ version }) => version);
  const members = collect(found, ({ value }) => value.members, 'as-is').map(
    ({ name, found: members }): ModelMember => ({
      ...annotations(name, members, owners),
      types: distinct(members.map(({ value }) => value.type)),
      optional: members.length < found.length || members.some(({ value }) => 'default' in value),
    }),
  );
  const cases = collect(
    found,
    ({ value }) => (value.variants ?? []).map((variant) => ({ name: variant.case, type: variant.type })),
    'as-is',
  );
  const tag = found.findLast(({ value }) => value.tag !== undefined)?.value.tag;
  const variants = cases.map(({ name, found: arms }): ModelVariant => ({
    ...annotations(name, arms, owners),
    types: distinct(arms.map(({ value }) => value.type)),
    partial: found.some((owner) => hasNoVariant(owner, tag, name)),
  }));
  return { kind: 'object' as const, members, tag, variants };
}

/** Whether the tag can have this value in this version, and there is nothing more to the object then. */
function hasNoVariant({ value, table }: Found<ObjectEntity>, tag: string | undefined, name: string): boolean {
  if (value.tag === tag && value.variants?.some((variant) => variant.case === name)) return false;
  const member = value.members.find((one) => one.name === tag);
  const type = table.types.get(member?.type ?? '');
  // Where the tag is any string, so may be this one.
  return type?.['meta-type'] !== 'enum' || enumMembers(type).some((one) => one.name === name);
}

function mergeEnum(found: readonly Found<EnumEntity>[]) {
  const owners = found.map(({ version }) => version);
  const values = collect(found, ({ value }) => enumMembers(value), 'as-is').map(({ name, found: values }) =>
    annotations(name, values, owners),
  );
  return { kind: 'enum' as const, values };
}

function annotations(name: string, found: readonly Found<Item>[], owners: readonly string[]): Annotated {
  return { name, features: found.at(-1)?.value.features ?? [], span: spanOf(found, owners) };
}

function spanOf(found: readonly Found<unknown>[], owners: readonly string[]): Span {
  const versions = distinct(owners);
  const present = versions.map((version) => found.some((one) => one.version === version));
  const first = present.indexOf(true);
  const last = present.lastIndexOf(true);
  const at = (index: number) => versions[index] ?? '';
  return {
    ...(first > 0 && { since: { version: at(first), absentIn: at(first - 1) } }),
    ...(last < versions.length - 1 && { until: { version: at(last), absentIn: at(last + 1) } }),
  };
}

const distinct = <T>(values: readonly T[]): readonly T[] => [...new Set(values)];
