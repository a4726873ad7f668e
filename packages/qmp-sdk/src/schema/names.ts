import { type Edge, edgesOf, rootEdges } from './edges.js';
import { type EntityTable, type EnumEntity, type SchemaEntity, type TypeEntity, isEmptyObject } from './entities.js';

/** Names by edge (see {@link Edge}). */
export type EdgeNames = ReadonlyMap<string, string>;

/**
 * The names that earlier schemas have. A type of a new schema that is reached over a known edge gets the name that
 * stands there, so that names do not move from one QEMU to the next.
 */
export interface NameLock {
  /** Names chosen by a person; they win over what was found first. */
  readonly curated: EdgeNames;
  readonly edges: EdgeNames;
  /** The kind of entity that has a name. A type that became another kind becomes another name. */
  readonly kinds: ReadonlyMap<string, TypeEntity['meta-type']>;
}

export interface NamingOptions {
  /** Names that earlier schemas have; `knownNames()` of `@xenpt/qmp-sdk/types/names` for those of this package. */
  readonly lock?: NameLock;
}

/** Something that a person should look at: the name of a type is not what an edge says. */
export interface NamingNote {
  /** `merged`: two names of the lock are one type here. `split`: one name of the lock is two types here. */
  readonly kind: 'merged' | 'split';
  readonly edge: string;
  readonly locked: string;
  readonly named: string;
}

export interface Naming {
  /** Stable name by type name of the schema; builtins keep theirs, arrays are `[Element]`. */
  readonly names: ReadonlyMap<string, string>;
  /** Every edge of this schema with the name it leads to. */
  readonly edges: EdgeNames;
  readonly notes: readonly NamingNote[];
}

/** All objects without members are this one. */
export const emptyName = 'Empty';

/** Names that the generated text uses itself, or that would hide a global it needs. */
const reservedNames = new Set([
  ...['Commands', 'Events', 'UnstableCommands', 'Open', 'Array', 'Readonly', 'ReadonlyArray', 'Record', 'String'],
  ...['Number', 'Boolean', 'Object', 'Symbol', 'Function', 'Date', 'Error', 'Map', 'Set', 'Promise', emptyName],
]);

/**
 * Gives each anonymous type of a schema a name that depends on how it is used, not on the number QEMU gave it.
 * Breadth first from commands and events; a type takes the name that the lock has for an edge to it, otherwise one
 * made of its first edge.
 */
export function nameTypes(table: EntityTable, options: NamingOptions = {}): Naming {
  const walk = new NamingWalk(table, options);
  while (walk.nameByLock() || walk.nameByFirstEdge());
  return walk.result();
}

/**
 * The lock that schemas with stable names are themselves: what each edge of them leads to. Where two say different,
 * the first one counts.
 */
export function lockOf(tables: readonly EntityTable[], curated: EdgeNames = new Map()): NameLock {
  const edges = new Map<string, string>();
  const kinds = new Map<string, TypeEntity['meta-type']>();
  for (const table of tables) {
    const inside = [...table.types.values()].flatMap((entity) => edgesOf(entity, entity.name, table.types));
    for (const { key, target } of [...rootEdges(table), ...inside]) {
      const entity = table.types.get(target);
      if (!entity || entity['meta-type'] === 'builtin' || isEmptyObject(entity)) continue;
      if (!edges.has(key)) edges.set(key, target);
      if (!kinds.has(target)) kinds.set(target, entity['meta-type']);
    }
  }
  return { curated, edges, kinds };
}

/** A lock as text: a line for each name, what leads to it first. */
export function writeNameLock({ curated, edges, kinds }: NameLock): Readonly<Record<keyof NameLock, string>> {
  const lines = (entries: ReadonlyMap<string, string>) =>
    [...entries]
      .map((pair) => pair.join(' '))
      .sort()
      .join('\n');
  return { curated: lines(curated), edges: lines(edges), kinds: lines(kinds) };
}

/** Reads what {@link writeNameLock} writes. */
export function readNameLock(text: Readonly<Record<keyof NameLock, string>>): NameLock {
  const entries = (lines: string) =>
    new Map(
      lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line): [string, string] => [
          line.slice(0, line.lastIndexOf(' ')),
          line.slice(line.lastIndexOf(' ') + 1),
        ]),
    );
  return {
    curated: entries(text.curated),
    edges: entries(text.edges),
    kinds: entries(text.kinds) as ReadonlyMap<string, TypeEntity['meta-type']>,
  };
}

class NamingWalk {
  readonly #table: EntityTable;
  readonly #locks: readonly { readonly names: EdgeNames; next: number }[];
  readonly #kinds: NameLock['kinds'];
  readonly #names = new Map<string, string>();
  readonly #owners = new Map<string, string>();
  readonly #edges: Edge[] = [];
  #firstUnnamed = 0;

  constructor(table: EntityTable, { lock }: NamingOptions) {
    this.#table = table;
    this.#locks = (lock ? [lock.curated, lock.edges] : []).map((names) => ({ names, next: 0 }));
    this.#kinds = lock?.kinds ?? new Map<string, TypeEntity['meta-type']>();
    for (const [type, entity] of table.types) {
      if (entity['meta-type'] === 'builtin') this.#names.set(type, type);
      else if (isEmptyObject(entity)) this.#names.set(type, emptyName);
    }
    this.#edges.push(...rootEdges(table));
  }

  /** Names what the locks can name; true when that was anything. */
  nameByLock(): boolean {
    return this.#locks.map((lock) => this.#nameByOne(lock)).some((named) => named);
  }

  #nameByOne(lock: { readonly names: EdgeNames; next: number }): boolean {
    let named = false;
    // The list grows while it is walked: the edges out of a type that was just named are new. What was passed by can
    // not become nameable later, since names are only ever taken.
    for (; lock.next < this.#edges.length; lock.next++) {
      const { key = '', target = '' } = this.#edges[lock.next] ?? {};
      const name = lock.names.get(key);
      if (name !== undefined && !this.#names.has(target) && this.#isFree(name, target)) {
        this.#assign(target, name);
        named = true;
      }
    }
    return named;
  }

  /** Names the first type in the walk that has no name; true when there was one. */
  nameByFirstEdge(): boolean {
    const isNamed = (edge: Edge | undefined) => edge !== undefined && this.#names.has(edge.target);
    while (isNamed(this.#edges[this.#firstUnnamed])) this.#firstUnnamed++;
    const edge = this.#edges[this.#firstUnnamed];
    if (!edge) return false;
    let name = edge.proposal;
    for (let number = 2; !this.#isFree(name, edge.target); number++) name = `${edge.proposal}${number}`;
    this.#assign(edge.target, name);
    return true;
  }

  result(): Naming {
    const edges = new Map<string, string>();
    const notes: NamingNote[] = [];
    for (const { key, target } of this.#edges) {
      const named = this.#names.get(target) ?? target;
      edges.set(key, named);
      const locked = this.#locks.map(({ names }) => names.get(key)).find((name) => name !== undefined);
      if (locked !== undefined && locked !== named) {
        notes.push({ kind: this.#owners.has(locked) ? 'split' : 'merged', edge: key, locked, named });
      }
    }
    for (const type of this.#table.types.keys()) this.#nameArray(type);
    return { names: this.#names, edges, notes };
  }

  #isFree(name: string, type: string): boolean {
    const kind = this.#kinds.get(name);
    if (kind !== undefined && kind !== this.#table.types.get(type)?.['meta-type']) return false;
    return !this.#owners.has(name) && !reservedNames.has(name);
  }

  #assign(type: string, name: string): void {
    this.#names.set(type, name);
    this.#owners.set(name, type);
    const entity = this.#table.types.get(type);
    if (entity) this.#edges.push(...edgesOf(entity, name, this.#table.types));
  }

  /** The name of an array is made of that of its elements. Without one, nothing leads to either. */
  #nameArray(type: string): string | undefined {
    const entity = this.#table.types.get(type);
    if (this.#names.has(type) || entity?.['meta-type'] !== 'array') return this.#names.get(type);
    const element = this.#nameArray(entity['element-type']);
    if (element !== undefined) this.#names.set(type, `[${element}]`);
    return this.#names.get(type);
  }
}

/**
 * The same schema with stable names, sorted: commands, events, then types. Equal for two builds that number their
 * types differently. Types that nothing leads to are left out.
 */
export function withStableNames(table: EntityTable, { names }: Naming): readonly SchemaEntity[] {
  const rename = (type: string) => names.get(type) ?? type;
  const kept = new Map<string, SchemaEntity>();
  for (const entity of table.types.values()) {
    if (names.has(entity.name)) kept.set(rename(entity.name), renamed(entity, rename));
  }
  const byName = <T extends SchemaEntity>(entities: Iterable<T>) =>
    [...entities].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return [
    ...byName(table.commands.values()).map((entity) => renamed(entity, rename)),
    ...byName(table.events.values()).map((entity) => renamed(entity, rename)),
    ...byName(kept.values()),
  ];
}

function renamed(entity: SchemaEntity, rename: (type: string) => string): SchemaEntity {
  switch (entity['meta-type']) {
    case 'builtin':
      return entity;
    case 'command':
      return { ...entity, 'arg-type': rename(entity['arg-type']), 'ret-type': rename(entity['ret-type']) };
    case 'event':
      return { ...entity, 'arg-type': rename(entity['arg-type']) };
    case 'array':
      return { ...entity, name: rename(entity.name), 'element-type': rename(entity['element-type']) };
    case 'enum':
      return withoutValues({ ...entity, name: rename(entity.name) });
    case 'alternate':
      return { ...entity, name: rename(entity.name), members: entity.members.map((m) => ({ type: rename(m.type) })) };
    case 'object':
      return {
        ...entity,
        name: rename(entity.name),
        members: entity.members.map((member) => ({ ...member, type: rename(member.type) })),
        ...(entity.variants && {
          variants: entity.variants.map((variant) => ({ ...variant, type: rename(variant.type) })),
        }),
      };
  }
}

/** `values` says nothing that `members` does not say. */
function withoutValues(entity: EnumEntity): EnumEntity {
  const { members, features, name } = entity;
  return members ? { name, 'meta-type': 'enum', members, ...(features && { features }) } : entity;
}
