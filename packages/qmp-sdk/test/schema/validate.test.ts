import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QmpSchema } from '../../src/schema/schema.js';
import { indexEntities } from '../../src/schema/well-formed.js';
import { schemas, valueOf } from './arbitraries.js';
import { snapshots } from './qemus.js';

const schema = new QmpSchema(snapshots.get('qemu-10.0')?.entities);
const issues = (command: string, args: unknown) =>
  schema.checkArguments(command, args).map(({ path, message }) => `${path} ${message}`);

describe('arguments', () => {
  it.each([
    ['query-status', undefined],
    ['query-status', {}],
    ['block_resize', { 'node-name': 'n', size: 1 }],
    ['block_resize', { 'node-name': 'n', size: 2n ** 63n - 1n }],
    ['block_resize', { 'node-name': 'n', size: -0 }],
    ['blockdev-add', { driver: 'qcow2', file: { driver: 'file', filename: 'x' }, backing: null }],
    ['blockdev-add', { driver: 'qcow2', file: 'node', 'node-name': undefined }],
    ['qom-set', { path: '/', property: 'p', value: null }],
    ['input-send-event', { events: [{ type: 'btn', data: { down: true, button: 'left' } }] }],
  ])('%s takes %o', (command, args) => {
    expect(issues(command, args)).toEqual([]);
  });

  it.each([
    ['query-statu', {}, ['query-statu this QEMU has no such command']],
    ['query-status', { verbose: true }, ['query-status.verbose is not known to this QEMU']],
    ['query-status', [], ['query-status an array is not an object']],
    ['block_resize', { 'node-name': 'n' }, ['block_resize.size is missing']],
    ['block_resize', { node_name: 1, size: 1 }, ['block_resize.node_name is not known to this QEMU']],
    ['block_resize', { size: '1' }, ['block_resize.size a value of kind string is not int']],
    ['block_resize', { size: 1.5 }, ['block_resize.size a value of kind number is not int']],
    ['block_resize', { size: 2 ** 64 }, ['block_resize.size a value of kind number is not int']],
    ['block_resize', { size: -(2n ** 64n) }, ['block_resize.size a value of kind bigint is not int']],
    ['block_resize', { size: null }, ['block_resize.size null is not int']],
    ['set-action', { panic: 'poweroff' }, ['set-action.panic is none of the values this QEMU knows']],
    ['blockdev-add', { driver: 'qcow2' }, ['blockdev-add.file is missing']],
    ['blockdev-add', { driver: 'file', filename: 'x', file: 'y' }, ['blockdev-add.file is not known to this QEMU']],
    [
      'blockdev-add',
      { driver: 'qcow2', file: { driver: 'qcow2', file: 7 } },
      ['blockdev-add.file.file a value of kind number is none of string, object'],
    ],
    [
      'input-send-event',
      {
        events: [
          { type: 'btn', data: { down: true, button: 'left' } },
          { type: 'abs', data: {} },
        ],
      },
      ['input-send-event.events[1].data.axis is missing', 'input-send-event.events[1].data.value is missing'],
    ],
    [
      'query-status',
      JSON.parse('{ "__proto__": 1, "a b": 2 }'),
      ['query-status.__proto__ is not known to this QEMU', 'query-status["a b"] is not known to this QEMU'],
    ],
  ])('%s does not take %o', (command, args, messages) => {
    expect(
      issues(command, args)
        .map((issue) => issue.replace(/none of (.*)$/, sorted))
        .sort(),
    ).toEqual(messages.map((issue) => issue.replace(/none of (.*)$/, sorted)).sort());
  });

  const sorted = (text: string, list: string) => (list.includes(',') ? list.split(', ').sort().join(', ') : text);

  it('ignores unknown members where it is told to', () => {
    expect(schema.checkArguments('query-status', { verbose: true }, { unknownMembers: 'ignore' })).toEqual([]);
  });

  it('never says a value: it may be a secret', () => {
    const found = issues('set_password', {
      protocol: 'hunter2',
      password: 5,
      connected: 'hunter2',
      other: 'hunter2',
    });
    expect(found.length).toBeGreaterThan(2);
    expect(found.join()).not.toContain('hunter2');
  });

  it('stops after enough', () => {
    const events = Array.from({ length: 1000 }, () => ({}));
    expect(schema.checkArguments('input-send-event', { events })).toHaveLength(20);
    expect(schema.checkArguments('input-send-event', { events }, { maximumIssues: 3 })).toHaveLength(3);
  });

  it('ends on a value that contains itself', () => {
    const args: Record<string, unknown> = { driver: 'qcow2' };
    args['file'] = args;
    expect(issues('blockdev-add', args)[0]).toMatch(/nests deeper than 1024/);
  });
});

describe('results and events', () => {
  it('may have more than the schema says, unless told otherwise', () => {
    const status = { running: true, status: 'running', temperature: 'warm' };
    expect(schema.checkResult('query-status', status)).toEqual([]);
    expect(schema.checkResult('query-status', status, { unknownMembers: 'reject' })).toEqual([
      { path: 'query-status.temperature', message: 'is not known to this QEMU' },
    ]);
    expect(schema.checkResult('nothing', {})).toHaveLength(1);
  });

  it('may have numbers that JSON has not', () => {
    const path = 'query-blockstats';
    expect(schema.has('query-blockstats/ret-type/stats/timed_stats/avg_rd_queue_depth/!number')).toBe(true);
    const numbers = [0.5, Infinity, NaN, 1n].map((value) => schema.checkResult(path, value)[0]?.message);
    expect(new Set(numbers).size).toBe(2);
  });

  it('have data, or none', () => {
    expect(schema.checkEvent('STOP', undefined)).toEqual([]);
    expect(schema.checkEvent('DEVICE_DELETED', { path: '/x' })).toEqual([]);
    expect(schema.checkEvent('DEVICE_DELETED', {})).toEqual([{ path: 'DEVICE_DELETED.path', message: 'is missing' }]);
    expect(schema.checkEvent('DEVICE_ADDED', {})).toHaveLength(1);
  });
});

describe('for any schema', () => {
  it('a required member that is gone is missed, at its path', () => {
    fc.assert(
      fc.property(schemas, fc.array(fc.nat(9999), { minLength: 8 }), fc.nat(99), (entities, numbers, where) => {
        const checker = new QmpSchema(entities);
        const { commands, types } = indexEntities(entities);
        for (const command of commands.values()) {
          const type = types.get(command['arg-type']);
          const required = type?.['meta-type'] === 'object' ? type.members.filter((one) => !('default' in one)) : [];
          const gone = required[where % required.length]?.name;
          if (gone === undefined) continue;
          const args = valueOf(types, command['arg-type'], numbers) as Record<string, unknown>;
          delete args[gone];
          const found = checker.checkArguments(command.name, args);
          expect(found.some(({ path, message }) => path.includes(gone.slice(0, 2)) && message === 'is missing')).toBe(
            true,
          );
        }
      }),
    );
  });
});
