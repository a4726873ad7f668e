import { type EntityTable, type SchemaEntity, type TypeEntity, enumMembers } from './entities.js';
import { QmpMissingInSchemaError } from './errors.js';
import { type SchemaNode, followPath, nodeKind } from './path.js';
import { type CheckOptions, type Issue, Validator } from './validate.js';
import { indexEntities } from './well-formed.js';

/** What {@link loadSchema} needs of a client. */
export interface SchemaSource {
  execute(command: 'query-qmp-schema'): Promise<unknown>;
}

/** What a path leads to, for completion and for messages. */
export interface SchemaDescription {
  readonly kind: 'command' | 'event' | TypeEntity['meta-type'] | 'value';
  readonly features: readonly string[];
  /** The steps that can follow: members, `+variants`, `^values`, `!kind`, `$features`. */
  readonly steps: readonly string[];
}

/**
 * What the QEMU at the other end can do, as it says itself. Asking it beats comparing versions: distributions build
 * without parts, and port parts back.
 */
export class QmpSchema {
  readonly #table: EntityTable;
  readonly #found = new Map<string, boolean>();
  #validator: Validator | undefined;

  /**
   * `schema` is the reply to `query-qmp-schema`, or the entities of a snapshot.
   * @throws QmpSchemaError when it is neither.
   */
  constructor(schema: unknown) {
    this.#table = indexEntities(schema);
  }

  /** Names of all commands, sorted. */
  get commands(): readonly string[] {
    return [...this.#table.commands.keys()].sort();
  }

  /** Names of all events, sorted. */
  get events(): readonly string[] {
    return [...this.#table.events.keys()].sort();
  }

  /**
   * Whether the path leads to something (grammar: {@link followPath}).
   *
   * ```ts
   * schema.has('blockdev-add/arg-type/+file/drop-cache')   // a member that is there for driver "file" only
   * schema.has('migrate-set-parameters/arg-type/tls-creds/!null')
   * ```
   * @throws QmpSchemaError when the path is malformed.
   */
  has(path: string): boolean {
    let found = this.#found.get(path);
    if (found === undefined) {
      found = followPath(this.#table, path).found !== undefined;
      if (this.#found.size < maximumCachedPaths) this.#found.set(path, found);
    }
    return found;
  }

  /** @throws QmpMissingInSchemaError when {@link has} says no; the error says how far the path goes. */
  require(path: string): void {
    const { found, reached } = followPath(this.#table, path);
    if (!found) throw new QmpMissingInSchemaError(path, reached);
  }

  /**
   * Whether a command, event, type or member has a feature: `schema.feature('device_add', 'json-cli-hotplug')`.
   * QEMU marks features since 4.1 to 6.2, by kind; from an older one, `false` proves nothing.
   */
  feature(path: string, feature: string): boolean {
    return this.has(`${path}/$${feature}`);
  }

  /** Whether a command may be executed out of band. */
  isOob(command: string): boolean {
    return this.#table.commands.get(command)?.['allow-oob'] === true;
  }

  /** What can follow a path, for completion: `describe('blockdev-add/arg-type')`. `undefined`: it leads nowhere. */
  describe(path: string): SchemaDescription | undefined {
    const { found } = followPath(this.#table, path);
    if (!found) return undefined;
    const features = [...found.memberFeatures, ...(found.entity?.features ?? [])];
    return {
      kind: nodeKind(found),
      features,
      steps: [...this.#steps(found), ...features.map((feature) => `$${feature}`)],
    };
  }

  /** What is wrong with the arguments of a command; empty when QEMU's own check would pass them. */
  checkArguments(command: string, args: unknown, options?: CheckOptions): readonly Issue[] {
    const entity = this.#table.commands.get(command);
    if (!entity) return [{ path: command, message: 'this QEMU has no such command' }];
    return this.#validation.check(entity['arg-type'], args ?? {}, command, { unknownMembers: 'reject', ...options });
  }

  /** What is wrong with what a command returned. */
  checkResult(command: string, result: unknown, options?: CheckOptions): readonly Issue[] {
    const entity = this.#table.commands.get(command);
    if (!entity) return [{ path: command, message: 'this QEMU has no such command' }];
    return this.#validation.check(entity['ret-type'], result, command, options);
  }

  /** What is wrong with the data of an event. */
  checkEvent(event: string, data: unknown, options?: CheckOptions): readonly Issue[] {
    const entity = this.#table.events.get(event);
    if (!entity) return [{ path: event, message: 'this QEMU has no such event' }];
    return this.#validation.check(entity['arg-type'], data ?? {}, event, options);
  }

  get #validation(): Validator {
    this.#validator ??= new Validator(this.#table.types);
    return this.#validator;
  }

  #steps({ entity }: SchemaNode): readonly string[] {
    if (!entity) return [];
    switch (entity['meta-type']) {
      case 'command':
        return ['arg-type', 'ret-type'];
      case 'event':
        return ['arg-type'];
      default:
        return typeSteps(entity, this.#table.types);
    }
  }
}

/** Paths come from the program, not from QEMU: this bounds a program that makes them up. */
const maximumCachedPaths = 10_000;

function typeSteps(entity: Exclude<SchemaEntity, { 'meta-type': 'command' | 'event' }>, types: EntityTable['types']) {
  const steps: string[] = [];
  // An array stands for its elements, an alternate for all its branches.
  const seen = new Set<TypeEntity>();
  const visit = (one: TypeEntity | undefined) => {
    if (!one || seen.has(one)) return;
    seen.add(one);
    if (one['meta-type'] === 'array') visit(types.get(one['element-type']));
    else if (one['meta-type'] === 'alternate') one.members.forEach(({ type }) => visit(types.get(type)));
    else if (one['meta-type'] === 'enum') steps.push(...enumMembers(one).map(({ name }) => `^${name}`));
    else if (one['meta-type'] === 'builtin') steps.push(`!${one.name}`);
    else {
      steps.push(...one.members.map(({ name }) => name));
      steps.push(...(one.variants ?? []).map((variant) => `+${variant.case}`));
    }
  };
  visit(entity);
  return steps;
}

const loaded = new WeakMap<SchemaSource, Promise<QmpSchema>>();

/**
 * Asks QEMU for its schema, once for each client. (Not once for each version: Debian's build for Xen calls itself the
 * same as the full one, and has less.) About 200 KB and 30 ms.
 * @throws QmpSchemaError when the reply is not a schema, and what `client.execute` throws.
 */
export function loadSchema(client: SchemaSource): Promise<QmpSchema> {
  let schema = loaded.get(client);
  if (!schema) {
    schema = client.execute('query-qmp-schema').then((reply) => new QmpSchema(reply));
    loaded.set(client, schema);
    // A failure is not kept: the next call asks again.
    schema.catch(() => loaded.delete(client));
  }
  return schema;
}
