import { type EntityTable, type SchemaEntity } from './entities.js';
import { QmpSchemaError } from './errors.js';
import { indexEntities } from './well-formed.js';

/** Where a snapshot was taken. */
export interface SnapshotOrigin {
  /** `major.minor` of QEMU: what the types are called after. */
  readonly version: string;
  /** The whole version, with the distribution's: the `package` of the greeting. */
  readonly package: string;
  /** File name of the program that was asked. */
  readonly binary: string;
}

export interface SchemaSnapshot {
  readonly origin: SnapshotOrigin;
  /** With stable names, as {@link withStableNames} returns it. */
  readonly entities: readonly SchemaEntity[];
  readonly table: EntityTable;
}

/**
 * A snapshot as text, JSON lines: the origin, then an entity a line, so that two of them can be compared with diff.
 */
export function writeSnapshot(origin: SnapshotOrigin, entities: readonly SchemaEntity[]): string {
  return [origin, ...entities.map(orderedFields)].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** @throws QmpSchemaError when the text is not what {@link writeSnapshot} writes. */
export function readSnapshot(text: string): SchemaSnapshot {
  const [origin, ...entities] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index): unknown => {
      try {
        return JSON.parse(line);
      } catch (cause) {
        throw new QmpSchemaError(`Line ${index + 1} of the snapshot is not JSON: ${String(cause)}`);
      }
    });
  if (!isOrigin(origin)) throw new QmpSchemaError('The first line of the snapshot does not say where it was taken.');
  const table = indexEntities(entities);
  return { origin, entities: entities as readonly SchemaEntity[], table };
}

function isOrigin(value: unknown): value is SnapshotOrigin {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return ['version', 'package', 'binary'].every((name) => typeof fields[name] === 'string');
}

/** QEMU writes the members of an entity in the order of a hash table; a snapshot has one order. */
const fieldOrder = [
  ...['name', 'meta-type', 'allow-oob', 'arg-type', 'ret-type', 'element-type', 'json-type', 'features'],
  ...['tag', 'members', 'values', 'variants', 'case', 'type', 'default'],
];

function orderedFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(orderedFields);
  if (typeof value !== 'object' || value === null) return value;
  const rank = (key: string) => fieldOrder.indexOf(key);
  const entries = Object.entries(value).map(([key, inner]) => [key, orderedFields(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => rank(a) - rank(b)));
}
