import { describe, expect, it } from 'vitest';
import type { QmpClient } from '../../src/qmp/client.js';
import { QmpCommandError } from '../../src/qmp/errors.js';
import { lockOf, nameTypes, withStableNames } from '../../src/schema/names.js';
import { type QmpSchema, loadSchema } from '../../src/schema/schema.js';
import { readSnapshot, writeSnapshot } from '../../src/schema/snapshot.js';
import { indexEntities } from '../../src/schema/well-formed.js';
import { compile } from '../types/compile.js';
import { mustHaveQemus, whyNoQemu } from '../support/programs.js';
import { programFor, snapshots, withQemu } from './qemus.js';

const none = ['-machine', 'none'];
/** Something of each kind that a query lists. */
const furnished = [
  ...['-machine', 'pc,hmat=on', '-m', '64,slots=2,maxmem=256M', '-smp', '2', '-name', 'furnished'],
  ...['-uuid', '12345678-1234-1234-1234-123456789abc', '-object', 'iothread,id=thread0'],
  ...['-object', 'memory-backend-ram,id=ram0,size=64M', '-numa', 'node,memdev=ram0'],
  ...['-object', 'memory-backend-ram,id=dimm,size=64M', '-device', 'pc-dimm,memdev=dimm,id=dimm0'],
  ...['-blockdev', 'null-co,node-name=disk0,size=1048576', '-device', 'virtio-blk-pci,drive=disk0,iothread=thread0'],
  ...['-drive', 'driver=null-co,id=disk1,if=none,throttling.iops-total=10', '-device', 'ide-hd,drive=disk1'],
  ...['-device', 'ide-cd,id=cd', '-netdev', 'user,id=net0', '-device', 'e1000,netdev=net0,id=nic0,romfile='],
  ...['-netdev', 'hubport,id=hub,hubid=0', '-device', 'virtio-net-pci,netdev=hub,id=nic1,romfile='],
  ...['-device', 'pci-bridge,chassis_nr=1,id=bridge', '-device', 'rtl8139,bus=bridge,addr=1,romfile='],
  ...['-device', 'virtio-balloon-pci', '-device', 'virtio-rng-pci', '-device', 'VGA', '-vnc', 'none'],
  ...['-chardev', 'null,id=console', '-device', 'isa-serial,chardev=console', '-device', 'qemu-xhci'],
  ...['-device', 'usb-tablet', '-device', 'vmgenid,guid=auto'],
];

/** What has to be done for more queries to have something to say. */
async function furnish(client: QmpClient): Promise<void> {
  await client.execute('blockdev-add', { driver: 'null-co', 'node-name': 'target', size: 1 << 20 });
  await client.execute('block-dirty-bitmap-add', { node: 'disk0', name: 'bitmap0' });
  await client.execute('blockdev-mirror', {
    ...{ 'job-id': 'job0', device: 'disk0', target: 'target', sync: 'full', speed: 1 },
  });
  await client.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
  await client.execute('object-add', { 'qom-type': 'throttle-group', id: 'group0' });
  await client.execute('calc-dirty-rate', { 'calc-time': 1 });
}

/** Where each build can stand: Xen's has nothing but an empty machine on a host without Xen. */
const machinesOf = (name: string) => (name.endsWith('-xen') ? { none } : { none, furnished });

/** Queries about hardware or devices that a machine may lack. Any other has to answer. */
const mayRefuse = new Set([
  ...['acpi-ospm-status', 'balloon', 'hotpluggable-cpus', 'hv-balloon-status-report', 'replay', 'sev'],
  ...[
    'sev-capabilities',
    'sev-launch-measure',
    'sgx',
    'sgx-capabilities',
    'vm-generation-id',
    'firmware-log',
    'gic-capabilities',
    's390x-cpu-polarization',
  ],
]);

/** What every query that needs no argument answers. */
async function ask(client: QmpClient, schema: QmpSchema): Promise<ReadonlyMap<string, unknown>> {
  const values = new Map<string, unknown>();
  for (const name of schema.commands.filter((command) => /^(x-)?query-/.test(command))) {
    if (schema.checkArguments(name, {}).length > 0) continue;
    try {
      values.set(name, await client.raw(name));
    } catch (error) {
      const isExpected = name.startsWith('x-') || mayRefuse.has(name.replace('query-', ''));
      if (!(error instanceof QmpCommandError) || !isExpected) throw error;
    }
  }
  return values;
}

/** One constant for each answer, of the type that was generated for it. */
function asTypeScript(types: string, answers: ReadonlyMap<string, unknown>): string {
  const lines = [...answers].map(([name, value], index) => {
    const text = JSON.stringify(value).replaceAll('\u2028', '\\u2028');
    return `export const answer${index}: All['${name}']['result'] = ${text};`;
  });
  return [
    `import type { Commands, UnstableCommands } from '../../src/types/${types}.js';`,
    'type All = Commands & UnstableCommands;',
    ...lines,
  ].join('\n');
}

for (const [name, snapshot] of snapshots) {
  const program = programFor(snapshot);
  const { version, binary } = snapshot.origin;
  const where = program?.join(' ') ?? `skipped: QEMU ${version} ${binary} is ${whyNoQemu}`;
  if (!program && mustHaveQemus) it(`${name} has its QEMU`, () => expect.fail(where));

  describe.skipIf(!program)(`${name} (${where})`, () => {
    it('has the schema of the snapshot, if it is the same package', async ({ skip }) => {
      await withQemu(program ?? [], none, async (client) => {
        const { package: packageName } = client.greeting.version;
        skip(packageName !== snapshot.origin.package, `this is ${packageName}`);
        const table = indexEntities(await client.execute('query-qmp-schema'));
        const naming = nameTypes(table, { lock: lockOf([snapshot.table]) });
        const text = writeSnapshot(snapshot.origin, withStableNames(table, naming));
        expect(text).toBe(writeSnapshot(snapshot.origin, snapshot.entities));
        expect(readSnapshot(text).entities).toEqual(snapshot.entities);
      });
    });

    it.each(Object.entries(machinesOf(name)))(
      'machine "%s": what a query answers is of its type',
      async (_, args) => {
        await withQemu(program ?? [], args, async (client) => {
          const schema = await loadSchema(client);
          using events = client.events(undefined, { buffer: 10_000 });
          if (args === furnished) await furnish(client);
          const values = await ask(client, schema);
          const strict = { unknownMembers: 'reject' } as const;
          expect([...values].flatMap(([query, value]) => schema.checkResult(query, value, strict))).toEqual([]);
          expect(values.size).toBeGreaterThanOrEqual(args === furnished ? 60 : 50);

          await client.execute('system_reset');
          for await (const { event, data } of events) {
            expect(schema.checkEvent(event, data, strict)).toEqual([]);
            if (event === 'RESET') break;
          }
          // The schema, a union of unions 200 KB long, is what the compiler takes longest for: once is enough.
          const small = new Map([...values].filter(([query]) => query !== 'query-qmp-schema'));
          const modules = { 'own.ts': asTypeScript(name, values), 'merged.ts': asTypeScript('index', small) };
          expect(compile(modules)).toEqual([]);
        });
      },
    );
  });
}
