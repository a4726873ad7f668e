import {
  type CommandEntity,
  type EntityTable,
  type EventEntity,
  type SchemaEntity,
  type TypeEntity,
  jsonKinds,
  referencedTypes,
} from './entities.js';
import { QmpSchemaError } from './errors.js';

/**
 * Checks the reply to `query-qmp-schema` and indexes it.
 * @throws QmpSchemaError when it is not a schema, an entity has a kind this code does not know, or a type is missing.
 */
export function indexEntities(schema: unknown): EntityTable {
  const commands = new Map<string, CommandEntity>();
  const events = new Map<string, EventEntity>();
  const types = new Map<string, TypeEntity>();
  for (const entity of checkedEntities(schema)) {
    if (entity['meta-type'] === 'command') commands.set(entity.name, entity);
    else if (entity['meta-type'] === 'event') events.set(entity.name, entity);
    else types.set(entity.name, entity);
  }
  const table = { commands, events, types };
  checkReferences(table);
  checkEmbedding(table.types);
  return table;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isListOf = (value: unknown, key: string) =>
  Array.isArray(value) && value.every((item) => isFields(item) && typeof item[key] === 'string');
const isMissingOr = (value: unknown, check: (value: unknown) => boolean) => value === undefined || check(value);
const isStringList = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');

const wellFormed = new Map<string, (entity: Fields) => boolean>(
  Object.entries({
    builtin: (entity: Fields) => jsonKinds.some((kind) => kind === entity['json-type']),
    enum: (entity: Fields) =>
      entity['members'] ? isListOf(entity['members'], 'name') : isStringList(entity['values']),
    array: (entity: Fields) => typeof entity['element-type'] === 'string',
    object: (entity: Fields) =>
      isListOf(entity['members'], 'name') &&
      isListOf(entity['members'], 'type') &&
      isMissingOr(entity['tag'], (tag) => typeof tag === 'string') &&
      isMissingOr(entity['variants'], (list) => isListOf(list, 'case') && isListOf(list, 'type')),
    alternate: (entity: Fields) => isListOf(entity['members'], 'type'),
    command: (entity: Fields) => typeof entity['arg-type'] === 'string' && typeof entity['ret-type'] === 'string',
    event: (entity: Fields) => typeof entity['arg-type'] === 'string',
  }),
);

function checkedEntities(schema: unknown): readonly SchemaEntity[] {
  if (!Array.isArray(schema)) {
    throw new QmpSchemaError(`A schema is the array that query-qmp-schema returns, not ${typeof schema}.`);
  }
  return schema.map((entity: unknown, index) => {
    if (!isFields(entity) || typeof entity['name'] !== 'string' || typeof entity['meta-type'] !== 'string') {
      throw new QmpSchemaError(`Entity ${index} of the schema has no name or no meta-type.`);
    }
    const check = wellFormed.get(entity['meta-type']);
    if (!check) throw new QmpSchemaError(`Entity "${entity['name']}" is of unknown kind "${entity['meta-type']}".`);
    if (!isMissingOr(entity['features'], isStringList) || !check(entity)) {
      throw new QmpSchemaError(`Entity "${entity['name']}" is not a well-formed ${entity['meta-type']}.`);
    }
    return entity as unknown as SchemaEntity;
  });
}

function checkReferences({ commands, events, types }: EntityTable): void {
  for (const entity of [...commands.values(), ...events.values(), ...types.values()]) {
    const missing = referencedTypes(entity).find((type) => !types.has(type));
    if (missing !== undefined) {
      throw new QmpSchemaError(`"${entity.name}" refers to type "${missing}", which the schema does not have.`);
    }
  }
}

/** Arrays of arrays, variants with variants. QAPI has no arrays of arrays, and QEMU unions in unions at most. */
const maximumEmbedding = 16;

/** What a value of a type is made of without a step into a member: it can not be made of itself. */
function embeddedTypes(entity: TypeEntity): readonly string[] {
  switch (entity['meta-type']) {
    case 'array':
      return [entity['element-type']];
    case 'object':
      return (entity.variants ?? []).map(({ type }) => type);
    case 'alternate':
      return entity.members.map(({ type }) => type);
    default:
      return [];
  }
}

/**
 * Recursion through a member is usual. An array of itself, a variant that is the object it is a variant of, or an
 * alternate in an alternate is not QAPI: whoever walks types would walk for ever.
 */
function checkEmbedding(types: EntityTable['types']): void {
  const done = new Set<string>();
  const check = (name: string, open: readonly string[]) => {
    if (open.includes(name)) throw new QmpSchemaError(`Type "${name}" of the schema contains itself.`);
    if (open.length > maximumEmbedding)
      throw new QmpSchemaError(`Type "${open[0] ?? name}" of the schema is nested too deep.`);
    const entity = types.get(name);
    if (!entity || done.has(name)) return;
    const inner = embeddedTypes(entity);
    const nested =
      entity['meta-type'] === 'alternate' && inner.find((type) => types.get(type)?.['meta-type'] === 'alternate');
    if (nested)
      throw new QmpSchemaError(`Alternate "${name}" of the schema has the alternate "${nested}" as a branch.`);
    // Through an alternate's array or object a value may contain itself, as JSON does.
    if (entity['meta-type'] !== 'alternate') inner.forEach((type) => check(type, [...open, name]));
    done.add(name);
  };
  for (const name of types.keys()) check(name, []);
}
