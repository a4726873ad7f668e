import { describe, expect, expectTypeOf, it } from 'vitest';
import type { CommandArgs, CommandResult } from '../../src/qmp/command-map.js';
import type { Commands, Events, Open, RunState, StatusInfo, UnstableCommands } from '../../src/types/index.js';
import type { Commands as Commands7 } from '../../src/types/qemu-7.2.js';
import type { Commands as Commands10 } from '../../src/types/qemu-10.0.js';
import type { Commands as Commands11 } from '../../src/types/qemu-11.1.js';
import { compile } from './compile.js';

const imports = [
  "import { QmpClient } from '../../src/qmp/client.js';",
  "import type { QmpSchema } from '../../src/schema/schema.js';",
  "import { loadSchema } from '../../src/schema/schema.js';",
  "import type { Commands as C7 } from '../../src/types/qemu-7.2.js';",
  "import type { Commands as C10, Events as E10 } from '../../src/types/qemu-10.0.js';",
  'declare const vm: QmpClient; declare const vm7: QmpClient<C7>; declare const vm10: QmpClient<C10, E10>;',
  'export async function statement() {',
];

/** What the compiler says about each statement, as part of a program that uses the client. One run, for speed. */
function diagnose(statements: readonly string[]): ReadonlyMap<string, string> {
  const name = (index: number) => `user${index}.mts`;
  const modules = statements.map((statement, index): [string, string] => [
    name(index),
    [...imports, statement, '}'].join('\n'),
  ]);
  const libraries = ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'];
  const diagnostics = compile(Object.fromEntries(modules), libraries);
  const of = (index: number) => diagnostics.filter((text) => text.startsWith(`${name(index)}:`)).join('\n');
  return new Map(statements.map((statement, index) => [statement, of(index)]));
}

describe('the maps of commands and events', () => {
  it('say what a command takes and returns', () => {
    expectTypeOf<Commands['query-status']['result']>().toEqualTypeOf<StatusInfo>();
    expectTypeOf<Commands['query-status']['args']>().toEqualTypeOf<void>();
    expectTypeOf<StatusInfo['status']>().toEqualTypeOf<Open<RunState>>();
    expectTypeOf<Commands['stop']['result']>().toEqualTypeOf<void>();
    expectTypeOf<Commands['migrate-pause']>().toHaveProperty('oob').toEqualTypeOf<true>();
    expectTypeOf<CommandResult<Commands, 'query-block'>[number]['device']>().toEqualTypeOf<string>();
    expectTypeOf<CommandArgs<Commands, 'block_resize'>['size']>().toEqualTypeOf<number | bigint>();
    expectTypeOf<Events['STOP']>().toEqualTypeOf<void>();
    expectTypeOf<Events['DEVICE_DELETED']>().toEqualTypeOf<{ device?: string; path: string }>();
  });

  it('keep what may change apart', () => {
    expectTypeOf<Extract<keyof Commands, `x-${string}`>>().toEqualTypeOf<never>();
    expectTypeOf<Extract<keyof UnstableCommands, 'x-query-irq'>>().toEqualTypeOf<'x-query-irq'>();
  });

  it('differ between versions, and the default is their union', () => {
    expectTypeOf<Extract<keyof Commands7, 'device-sync-config' | 'announce-self'>>().toEqualTypeOf<'announce-self'>();
    type Each = keyof Commands7 | keyof Commands10 | keyof Commands11;
    expectTypeOf<keyof Commands>().toEqualTypeOf<Each>();
  });
});

const right = [
  "await vm.execute('query-status');",
  "const { status } = await vm.execute('query-status'); if (status === 'running' || status === 'new-in-qemu-12') {}",
  "await vm.execute('device_add', { driver: 'e1000', id: 'nic0', mac: '52:54:00:12:34:56' });",
  "await vm.execute('blockdev-add', { driver: 'qcow2', 'node-name': 'n', file: { driver: 'file', filename: 'f' } });",
  "await vm.execute('blockdev-add', { driver: 'qcow2', file: 'node', backing: null });",
  "await vm.execute('block_resize', { 'node-name': 'n', size: 2n ** 60n });",
  "await vm.execute('human-monitor-command', { 'command-line': 'info pic', 'cpu-index': undefined });",
  "await vm.execute('netdev_add', { type: 'user', id: 'n', hostfwd: [{ str: 'tcp::22-:22' }] as const });",
  "const unknown: unknown = await vm.execute('x-query-irq'); void unknown;",
  "await vm.execute('__com.vendor_thing', { any: 1 });",
  "await vm.oob('migrate-pause');",
  "const e = await vm.expect('JOB_STATUS_CHANGE', (e) => e.data.status === 'concluded'); e.data.id.trim();",
  "for await (const e of vm10.events(['STOP', 'RESET'])) if (e.event === 'RESET') e.data.reason.trim();",
  'const schema: QmpSchema = await loadSchema(vm); void schema;',
  'await loadSchema(vm7); await loadSchema(vm10);',
  "for (const info of await vm10.execute('query-block')) info.inserted?.image['format-specific']?.type;",
];

const wrong: readonly (readonly [string, RegExp])[] = [
  ["await vm.execute('query-statu');", /not assignable to parameter of type/],
  ["await vm.execute('block_resize');", /Expected 2-3 arguments/],
  ["await vm.execute('block_resize', { 'node-name': 'n' });", /Property 'size' is missing/],
  ["await vm.execute('block_resize', { node_name: 'n', size: 1 });", /'node_name' does not exist/],
  ["await vm.execute('block_resize', { 'node-name': 'n', size: '1' });", /'string' is not assignable/],
  ["await vm.execute('set-action', { panic: 'poweroff' });", /"poweroff"' is not assignable/],
  ["await vm.execute('blockdev-add', { driver: 'qcow3', file: 'x' });", /"qcow3"' is not assignable/],
  ["await vm.execute('blockdev-add', { driver: 'file', file: 'x' });", /'file' does not exist|'filename' is missing/],
  ["await vm.execute('query-status', { verbose: true });", /is not assignable/],
  ["await vm.oob('query-status');", /"query-status"' is not assignable/],
  ["(await vm.execute('query-status')).singlestp;", /'singlestp' does not exist/],
  ["(await vm10.execute('query-status')).singlestep;", /'singlestep' does not exist/],
  ["await vm7.execute('device-sync-config', { id: 'x' });", /not assignable to parameter of type/],
  ["await vm.expect('DEVICE_ADDED');", /not assignable to parameter of type/],
  ["await vm.expect('DEVICE_DELETED', (e) => e.data.devices === 'x');", /'devices' does not exist/],
];

describe('a program that uses the client', () => {
  const diagnostics = diagnose([...right, ...wrong.map(([statement]) => statement)]);

  it.each(right)('may say: %s', (statement) => {
    expect(diagnostics.get(statement)).toBe('');
  });

  it.each(wrong)('may not say: %s', (statement, message) => {
    expect(diagnostics.get(statement)).toMatch(message);
  });
});
