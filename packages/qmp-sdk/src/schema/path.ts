import { branchKind } from './edges.js';
import { type EntityTable, type SchemaEntity, type TypeEntity, enumMembers, isTypeEntity } from './entities.js';
import { QmpSchemaError } from './errors.js';

/** Where a path has come to. Without an entity it is at a value that leads no further: an enum value, a feature. */
export interface SchemaNode {
  readonly entity: SchemaEntity | undefined;
  /** Features of the member or value that was stepped over to come here. */
  readonly memberFeatures: readonly string[];
}

/** What a step looks for, by its first character. */
const modifiers = ['*', '+', '^', '!', '$'] as const;

/**
 * Follows a path through a schema. Steps are separated by `/`:
 *
 * ```
 * path    = name *( "/" step )
 * name    = a command or an event
 * step    = "arg-type" | "ret-type"     of a command; "arg-type" of an event
 *         | member                      a member of an object, optional or not
 *         | "*" member                  … that may be left out
 *         | "+" case                    what the object has when its tag is `case`
 *         | "^" value                   a value of an enumeration
 *         | "!" builtin                 str, int, number, bool, null, any; or array, object, enum, alternate
 *         | "$" feature                 of the member or value, or of the command, event or type it leads to
 * ```
 * Arrays are their elements, alternates any of their branches. A member that only a variant has is reached through
 * the variant. `^`, `!` and `$` end a path, but a feature may follow a value: `…/^value/$deprecated`.
 *
 * `reached` is the longest part of the path that leads somewhere.
 * @throws QmpSchemaError when the path is empty, or a step is.
 */
export function followPath(table: EntityTable, path: string): { found: SchemaNode | undefined; reached: string } {
  const [name = '', ...steps] = path.split('/');
  for (const step of [name, ...steps]) {
    const isModifier = modifiers.some((modifier) => modifier === step);
    if (step === '' || isModifier) {
      throw new QmpSchemaError(`"${path}" is not a schema path: the step "${step}" names nothing.`, pathExample);
    }
  }
  const start = table.commands.get(name) ?? table.events.get(name);
  let nodes: readonly SchemaNode[] = start ? [{ entity: start, memberFeatures: [] }] : [];
  let reached = start ? name : '';
  for (const step of steps) {
    nodes = nodes.flatMap((node) => takeStep(table.types, node, step));
    if (nodes.length === 0) return { found: undefined, reached };
    reached += `/${step}`;
  }
  return { found: nodes[0], reached };
}

const pathExample = 'Write it like blockdev-add/arg-type/+file/drop-cache.';

/** `value` for an enum value or a feature. */
export function nodeKind({ entity }: SchemaNode): SchemaEntity['meta-type'] | 'value' {
  return entity?.['meta-type'] ?? 'value';
}

function takeStep(types: EntityTable['types'], node: SchemaNode, step: string): readonly SchemaNode[] {
  const { entity, memberFeatures } = node;
  if (step.startsWith('$')) {
    const feature = step.slice(1);
    const all = [...memberFeatures, ...(entity ? featuresOf(types, entity) : [])];
    return all.includes(feature) ? [leaf([])] : [];
  }
  if (!entity) return [];
  if (!isTypeEntity(entity)) {
    const type = step === 'arg-type' || step === 'ret-type' ? (entity as EndTypes)[step] : undefined;
    return at(types, type, []);
  }
  return variantsOf(types, entity).flatMap((type) => stepInto(types, type, step));
}

type EndTypes = { readonly 'arg-type'?: string; readonly 'ret-type'?: string };

const leaf = (memberFeatures: readonly string[]): SchemaNode => ({ entity: undefined, memberFeatures });

function at(types: EntityTable['types'], type: string | undefined, memberFeatures: readonly string[]) {
  const entity = type === undefined ? undefined : types.get(type);
  return entity ? [{ entity, memberFeatures }] : [];
}

/** The features of a type are those of its elements and branches too: what a value of it can be. */
function featuresOf(types: EntityTable['types'], entity: SchemaEntity): readonly string[] {
  if (!isTypeEntity(entity)) return entity.features ?? [];
  return variantsOf(types, entity).flatMap(({ features }) => features ?? []);
}

/** The type itself, or its elements, or its branches: everything that a step may be a step into. */
function variantsOf(types: EntityTable['types'], entity: TypeEntity): readonly TypeEntity[] {
  const found = new Set<TypeEntity>();
  const visit = (one: TypeEntity | undefined) => {
    if (!one || found.has(one)) return;
    found.add(one);
    if (one['meta-type'] === 'array') visit(types.get(one['element-type']));
    if (one['meta-type'] === 'alternate') one.members.forEach(({ type }) => visit(types.get(type)));
  };
  visit(entity);
  return [...found];
}

function stepInto(types: EntityTable['types'], type: TypeEntity, step: string): readonly SchemaNode[] {
  const name = step.slice(1);
  switch (step.charAt(0)) {
    case '^': {
      const value = type['meta-type'] === 'enum' && enumMembers(type).find((member) => member.name === name);
      return value ? [leaf(value.features ?? [])] : [];
    }
    case '!':
      return isOfKind(types, type, name) ? [leaf([])] : [];
    case '+': {
      const variants = type['meta-type'] === 'object' ? (type.variants ?? []) : [];
      return variants.filter((variant) => variant.case === name).flatMap((variant) => at(types, variant.type, []));
    }
    default: {
      const isOptional = step.startsWith('*');
      const members = type['meta-type'] === 'object' ? type.members : [];
      return members
        .filter((member) => (isOptional ? member.name === name && 'default' in member : member.name === step))
        .flatMap((member) => at(types, member.type, member.features ?? []));
    }
  }
}

/** QEMU's own name of a builtin, the name of its JSON kind, or the kind of another type. */
function isOfKind(types: EntityTable['types'], type: TypeEntity, kind: string): boolean {
  if (type['meta-type'] !== 'builtin') return type['meta-type'] === kind;
  return type.name === kind || branchKind(types, type.name) === kind;
}
