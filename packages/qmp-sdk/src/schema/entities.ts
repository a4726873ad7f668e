/**
 * What `query-qmp-schema` returns (QAPI: SchemaInfo), as it stands on the wire. Type names are whatever the sender
 * chose: decimal strings from a running QEMU, stable names in our snapshots.
 */
export type SchemaEntity =
  BuiltinEntity | EnumEntity | ArrayEntity | ObjectEntity | AlternateEntity | CommandEntity | EventEntity;

export const jsonKinds = ['string', 'number', 'int', 'boolean', 'null', 'object', 'array', 'value'] as const;
export type JsonKind = (typeof jsonKinds)[number];

interface Named {
  readonly name: string;
  readonly features?: readonly string[];
}

export interface BuiltinEntity extends Named {
  readonly 'meta-type': 'builtin';
  readonly 'json-type': JsonKind;
}

export interface EnumEntity extends Named {
  readonly 'meta-type': 'enum';
  /** Since QEMU 6.2. */
  readonly members?: readonly Named[];
  /** The same without features; the only form before QEMU 6.2. */
  readonly values?: readonly string[];
}

export interface ArrayEntity extends Named {
  readonly 'meta-type': 'array';
  readonly 'element-type': string;
}

export interface ObjectMember extends Named {
  readonly type: string;
  /** Present (and `null`, in every QEMU so far) when the member may be left out. */
  readonly default?: unknown;
}

export interface ObjectVariant {
  readonly case: string;
  readonly type: string;
}

export interface ObjectEntity extends Named {
  readonly 'meta-type': 'object';
  readonly members: readonly ObjectMember[];
  /** Name of the member whose value chooses the variant. */
  readonly tag?: string;
  readonly variants?: readonly ObjectVariant[];
}

export interface AlternateEntity extends Named {
  readonly 'meta-type': 'alternate';
  readonly members: readonly { readonly type: string }[];
}

export interface CommandEntity extends Named {
  readonly 'meta-type': 'command';
  readonly 'arg-type': string;
  readonly 'ret-type': string;
  readonly 'allow-oob'?: boolean;
}

export interface EventEntity extends Named {
  readonly 'meta-type': 'event';
  readonly 'arg-type': string;
}

/** An entity that can be the type of a value. */
export type TypeEntity = Exclude<SchemaEntity, CommandEntity | EventEntity>;

/** The names of an enumeration, in the order of the schema. */
export function enumMembers(entity: EnumEntity): readonly Named[] {
  return entity.members ?? (entity.values ?? []).map((name) => ({ name }));
}

/** An object without any member: QEMU's way to say "no arguments" and "no result". */
export function isEmptyObject(entity: SchemaEntity): boolean {
  return entity['meta-type'] === 'object' && entity.members.length === 0 && (entity.variants ?? []).length === 0;
}

export function isTypeEntity(entity: SchemaEntity): entity is TypeEntity {
  return entity['meta-type'] !== 'command' && entity['meta-type'] !== 'event';
}

/**
 * A schema with every name resolved once: commands and events by name, types by type name.
 */
export interface EntityTable {
  readonly commands: ReadonlyMap<string, CommandEntity>;
  readonly events: ReadonlyMap<string, EventEntity>;
  readonly types: ReadonlyMap<string, TypeEntity>;
}

/** The types that one entity mentions. */
export function referencedTypes(entity: SchemaEntity): readonly string[] {
  switch (entity['meta-type']) {
    case 'builtin':
    case 'enum':
      return [];
    case 'array':
      return [entity['element-type']];
    case 'object':
      return [...entity.members, ...(entity.variants ?? [])].map(({ type }) => type);
    case 'alternate':
      return entity.members.map(({ type }) => type);
    case 'command':
      return [entity['arg-type'], entity['ret-type']];
    case 'event':
      return [entity['arg-type']];
  }
}
