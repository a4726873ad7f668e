import type { EntityTable, TypeEntity } from './entities.js';

/**
 * One way to come to a type: from a command, an event, or a member of a type that has a name already.
 *
 * ```
 * query-status/ret-type      the result of a command        query-block/ret-type[]   … its elements
 * STOP/arg-type              the data of an event
 * BlockInfo/inserted         a member                       BlockInfo/children[]     … its elements
 * BlockdevOptions/+qcow2     a variant                      BlockdevRef/|object      a branch of an alternate
 * ```
 */
export interface Edge {
  readonly key: string;
  /** Type name in the schema the edge is of. */
  readonly target: string;
  /** What a name for the target is made of, when the target has none. */
  readonly proposal: string;
}

/** The edges that need no name of ours: out of commands and events, sorted by name. */
export function rootEdges({ commands, events, types }: EntityTable): readonly Edge[] {
  const ends = [
    ...[...commands.values()].flatMap((command) => [
      { owner: command.name, end: 'arg-type', type: command['arg-type'], suffix: 'Args' },
      { owner: command.name, end: 'ret-type', type: command['ret-type'], suffix: 'Result' },
    ]),
    ...[...events.values()].map((event) => ({
      owner: event.name,
      end: 'arg-type',
      type: event['arg-type'],
      suffix: 'Event',
    })),
  ];
  return ends
    .map(({ owner, end, type, suffix }) => {
      const { target, arrays } = throughArrays(types, type);
      return { key: `${owner}/${end}${arrays}`, target, proposal: rootName(owner, suffix, arrays) };
    })
    .sort(byKey);
}

/** The conventional name of what a command takes or returns, or an event carries: `QueryStatusResult`. */
export function rootName(owner: string, suffix: string, arrays = ''): string {
  const word = pascalCase(owner);
  return (/^\d/.test(word) ? `Qmp${word}` : word) + suffix + itemSuffix(arrays);
}

/** The edges out of a type that is called `owner`, sorted. */
export function edgesOf(entity: TypeEntity, owner: string, types: EntityTable['types']): readonly Edge[] {
  // Without the suffix a name says the same and is shorter: BlockdevAddFile, not BlockdevAddArgsFile.
  const stem = owner.replace(/(Args|Result|Event)?(Item)*$/, '') || owner;
  const edge = (step: string, word: string, type: string): Edge => {
    const { target, arrays } = throughArrays(types, type);
    return { key: `${owner}/${step}${arrays}`, target, proposal: stem + pascalCase(word) + itemSuffix(arrays) };
  };
  switch (entity['meta-type']) {
    case 'object':
      return [
        ...entity.members.map(({ name, type }) => edge(name, name, type)),
        ...(entity.variants ?? []).map((variant) => edge(`+${variant.case}`, variant.case, variant.type)),
      ].sort(byKey);
    case 'alternate':
      return entity.members
        .map(({ type }) => edge(`|${branchKind(types, type)}`, branchKind(types, type), type))
        .sort(byKey);
    default:
      return [];
  }
}

/** The JSON kind by which a value of an alternate tells which branch it is of. */
export function branchKind(types: EntityTable['types'], type: string): string {
  const entity = types.get(type);
  switch (entity?.['meta-type']) {
    case 'builtin':
      return entity['json-type'];
    case 'array':
      return 'array';
    case 'enum':
      return 'string';
    default:
      return 'object';
  }
}

/** The type inside of any number of arrays, and one `[]` for each. */
export function throughArrays(types: EntityTable['types'], type: string): { target: string; arrays: string } {
  let arrays = '';
  let target = type;
  for (let entity = types.get(target); entity?.['meta-type'] === 'array'; entity = types.get(target)) {
    arrays += '[]';
    target = entity['element-type'];
  }
  return { target, arrays };
}

/** `job-id` and `JOB_ID` become `JobId`, `host_device` becomes `HostDevice`. */
export function pascalCase(name: string): string {
  const words = /[a-z]/.test(name) ? name : name.toLowerCase();
  return words
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

const itemSuffix = (arrays: string) => 'Item'.repeat(arrays.length / 2);
const byKey = (a: Edge, b: Edge) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
