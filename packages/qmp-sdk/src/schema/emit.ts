import { rootName } from './edges.js';
import { documentation, isUnstable, quoted } from './emit-comments.js';
import { type Flavour, type TypeNames, emitType, reference } from './emit-types.js';
import type { ModelCommand, ModelType, SchemaModel } from './model.js';
import { emptyName } from './names.js';

export interface EmitOptions {
  /** First line of the text: what the types were made from. */
  readonly origin: string;
  /**
   * Commands that take members their schema does not name. Introspection cannot tell: this is knowledge about QEMU.
   * Defaults to {@link openArgumentCommands}.
   */
  readonly openArguments?: readonly string[];
}

/**
 * `device_add` takes every property of the device it makes, in each QEMU; `netdev_add` and `object-add` did so before
 * 5.1 and 6.0, when their schema says nothing but the common members.
 */
export const openArgumentCommands: readonly string[] = ['device_add'];

/**
 * TypeScript for a schema: `Commands`, `UnstableCommands`, `Events` and the types they use. Arguments are exact and
 * take `bigint`; results have open enumerations, since a newer QEMU may say more.
 */
export function emitTypes(model: SchemaModel, options: EmitOptions): string {
  const open = new Set(options.openArguments ?? openArgumentCommands);
  const names = flavouredNames(model, open);
  const stable = model.commands.filter((command) => !isUnstable(command));
  const unstable = model.commands.filter(isUnstable);
  return [
    `// ${options.origin.replace(/\s+/g, ' ')}\n// Generated; do not edit.\n`,
    `/** One of the known values, or one that a newer QEMU added. */\n` +
      `export type Open<Known extends string> = Known | (string & {});\n`,
    emitCommands('Commands', 'Every stable command: what it takes and what it returns.', stable, names),
    emitCommands('UnstableCommands', 'Commands that QEMU may change or drop without notice.', unstable, names),
    emitEvents(model, names),
    ...[...model.types.values()].flatMap((type) => emitType(type, names)),
    ...emitAliases(model, names),
  ].join('\n');
}

function emitCommands(map: string, text: string, commands: readonly ModelCommand[], names: TypeNames): string {
  const entries = commands.map((command) => {
    const args = `args: ${reference(command.args, 'in', names, 'void')}`;
    const result = `result: ${reference(command.result, 'out', names, 'void')}`;
    const oob = command.oob ? '; oob: true' : '';
    return `${documentation(command, '  ')}  ${quoted(command.name)}: { ${args}; ${result}${oob} };\n`;
  });
  return `/** ${text} */\nexport interface ${map} {\n${entries.join('')}}\n`;
}

function emitEvents(model: SchemaModel, names: TypeNames): string {
  const entries = model.events.map(
    (event) =>
      `${documentation(event, '  ')}  ${quoted(event.name)}: ${reference(event.data, 'out', names, 'void')};\n`,
  );
  return `/** Every event with the type of its data. */\nexport interface Events {\n${entries.join('')}}\n`;
}

/** `QueryBlockResult` for a result that has another name, so that each command's types can be found by its name. */
function emitAliases(model: SchemaModel, names: TypeNames): readonly string[] {
  const aliases = new Map<string, string>();
  const add = (owner: string, suffix: string, types: readonly string[], flavour: Flavour) => {
    const name = rootName(owner, suffix);
    const text = reference(types, flavour, names, 'void');
    if (names.taken.has(name) || /^(void|unknown|string|number|boolean)$/.test(text)) return;
    if (!aliases.has(name)) aliases.set(name, `export type ${name} = ${text};\n`);
  };
  for (const command of model.commands) {
    add(command.name, 'Args', command.args, 'in');
    add(command.name, 'Result', command.result, 'out');
  }
  for (const event of model.events) add(event.name, 'Event', event.data, 'out');
  return [...aliases.values()];
}

/** Which types are used in arguments, in results, or in both, and what the text calls each. */
function flavouredNames(model: SchemaModel, openCommands: ReadonlySet<string>): TypeNames {
  const incoming = reachable(
    model,
    model.commands.flatMap(({ args }) => args),
  );
  const outgoing = reachable(model, [
    ...model.commands.flatMap(({ result }) => result),
    ...model.events.flatMap(({ data }) => data),
  ]);
  const taken = new Set([...incoming, ...outgoing]);
  const inputNames = new Map<string, string>();
  for (const name of incoming) {
    const type = model.types.get(name);
    if (!outgoing.has(name) || !type || type.kind === 'enum' || type.kind === 'builtin' || type.kind === 'array') {
      continue;
    }
    let inputName = `${name}Input`;
    for (let number = 2; taken.has(inputName); number++) inputName = `${name}Input${number}`;
    taken.add(inputName);
    inputNames.set(name, inputName);
  }
  const open = model.commands.filter(({ name }) => openCommands.has(name)).flatMap(({ args }) => args);
  return { types: model.types, incoming, outgoing, inputNames, taken, open: new Set(open) };
}

function reachable(model: SchemaModel, roots: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [...roots];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const type = model.types.get(name);
    if (found.has(name) || !type || name === emptyName) continue;
    found.add(name);
    pending.push(...usedBy(type));
  }
  return found;
}

function usedBy(type: ModelType): readonly string[] {
  switch (type.kind) {
    case 'array':
      return [type.element];
    case 'alternate':
      return type.branches;
    case 'object':
      return [...type.members, ...type.variants].flatMap(({ types }) => types);
    default:
      return [];
  }
}
