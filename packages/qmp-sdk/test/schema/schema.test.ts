import { describe, expect, it } from 'vitest';
import { QmpMissingInSchemaError, QmpSchemaError } from '../../src/schema/errors.js';
import { QmpSchema, loadSchema } from '../../src/schema/schema.js';
import { snapshots } from './qemus.js';

const schemaOf = (name: string) => new QmpSchema(snapshots.get(name)?.entities);
const schema7 = schemaOf('qemu-7.2');
const schema10 = schemaOf('qemu-10.0');

describe('a path', () => {
  it.each([
    'query-status',
    'query-status/ret-type/running/!bool',
    'STOP/arg-type',
    'blockdev-add/arg-type/+file/drop-cache',
    'blockdev-add/arg-type/+file/*drop-cache',
    'blockdev-add/arg-type/driver/^qcow2',
    'blockdev-add/arg-type/+qcow2/backing/!null',
    'blockdev-add/arg-type/+qcow2/backing/+file/filename/!str',
    'blockdev-add/arg-type/+qcow2/backing/!object',
    'query-block/ret-type/inserted/image/format-specific/+qcow2/data/compat',
    'query-block/ret-type/*inserted',
    'query-block/ret-type/!array',
    'query-cpu-definitions/ret-type/unavailable-features/!string',
    'blockdev-backup/arg-type/sync/!enum',
    'device_add/$json-cli-hotplug',
    'x-query-irq/$unstable',
    'human-monitor-command/$savevm-monitor-nodes',
    'drive-backup/$deprecated',
    'JOB_STATUS_CHANGE/arg-type/status/^concluded',
  ])('%s leads somewhere', (path) => {
    expect(schema10.has(path)).toBe(true);
    expect(() => schema10.require(path)).not.toThrow();
  });

  it.each([
    ['query-statu', ''],
    ['query-status/running', 'query-status'],
    ['STOP/ret-type', 'STOP'],
    ['blockdev-add/arg-type/drop-cache', 'blockdev-add/arg-type'],
    ['blockdev-add/arg-type/+nosuch/drop-cache', 'blockdev-add/arg-type'],
    ['blockdev-add/arg-type/+file/*filename', 'blockdev-add/arg-type/+file'],
    ['blockdev-add/arg-type/driver/^qcow3', 'blockdev-add/arg-type/driver'],
    ['blockdev-add/arg-type/driver/^qcow2/^qcow2', 'blockdev-add/arg-type/driver/^qcow2'],
    ['query-status/ret-type/running/!str', 'query-status/ret-type/running'],
    ['query-status/ret-type/running/!bool/!bool', 'query-status/ret-type/running/!bool'],
    ['device_add/$nosuch', 'device_add'],
  ])('%s leads nowhere', (path, reached) => {
    expect(schema10.has(path)).toBe(false);
    expect(() => schema10.require(path)).toThrow(QmpMissingInSchemaError);
    expect(() => schema10.require(path)).toThrow(reached === '' ? `no "${path}".` : `it has "${reached}"`);
  });

  it.each(['', '/', 'query-status/', 'query-status//x', 'query-status/ret-type/+', 'device_add/$'])(
    '"%s" is none',
    (path) => {
      expect(() => schema10.has(path)).toThrow(QmpSchemaError);
    },
  );

  it('tells versions and builds apart', () => {
    const member = 'query-migrate/ret-type/compression';
    expect([schema7.has(member), schema10.has(member)]).toEqual([true, false]);
    const command = 'x-query-jit';
    expect([schema10.has(command), schemaOf('qemu-10.0-xen').has(command)]).toEqual([true, false]);
  });

  it('finds features of members, values and types', () => {
    const member = 'blockdev-add/arg-type/+iscsi/$deprecated';
    expect(schema10.has(member)).toBe(false);
    expect(schema10.feature('device_add', 'json-cli')).toBe(true);
    const found = [...(snapshots.get('qemu-10.0')?.entities ?? [])].flatMap((entity) =>
      entity['meta-type'] === 'command' ? [entity] : [],
    );
    for (const { name, features = [] } of found) {
      for (const feature of features) expect(schema10.feature(name, feature), name).toBe(true);
    }
    expect(schema10.feature('migrate-set-capabilities/arg-type/capabilities/capability/^x-colo', 'unstable')).toBe(
      true,
    );
    expect(schema10.feature('migrate-set-capabilities/arg-type/capabilities/capability/^xbzrle', 'unstable')).toBe(
      false,
    );
  });
});

describe('describe', () => {
  it('says what can follow', () => {
    expect(schema10.describe('query-status')).toEqual({
      kind: 'command',
      features: [],
      steps: ['arg-type', 'ret-type'],
    });
    expect(schema10.describe('STOP')).toMatchObject({ kind: 'event', steps: ['arg-type'] });
    expect(schema10.describe('query-status/ret-type')).toEqual({
      ...{ kind: 'object', features: [], steps: ['running', 'status'] },
    });
    expect(schema10.describe('blockdev-add/arg-type')?.steps).toEqual(
      expect.arrayContaining(['driver', 'node-name', '+qcow2', '+file']),
    );
    expect(schema10.describe('set_link/arg-type/up')).toEqual({ kind: 'builtin', features: [], steps: ['!bool'] });
    expect(schema10.describe('set-action/arg-type/panic')?.steps).toContain('^shutdown');
    expect(schema10.describe('blockdev-add/arg-type/+qcow2/backing')?.steps).toEqual(
      expect.arrayContaining(['!null', '!str', 'driver']),
    );
    expect(schema10.describe('drive-backup')).toMatchObject({ features: ['deprecated'] });
    expect(schema10.describe('nothing')).toBeUndefined();
  });

  it('says only what does follow', () => {
    const visit = (path: string, depth: number) => {
      for (const step of schema10.describe(path)?.steps ?? []) {
        expect(schema10.has(`${path}/${step}`), `${path}/${step}`).toBe(true);
        if (depth > 0) visit(`${path}/${step}`, depth - 1);
      }
    };
    for (const name of [...schema10.commands.slice(0, 60), ...schema10.events]) visit(name, 2);
  });
});

describe('loadSchema', () => {
  const reply = snapshots.get('qemu-7.2')?.entities;

  it('asks once', async () => {
    let asked = 0;
    const client = { execute: () => Promise.resolve((asked++, reply)) };
    const [first, second] = await Promise.all([loadSchema(client), loadSchema(client)]);
    expect(first).toBe(second);
    expect(await loadSchema(client)).toBe(first);
    expect(asked).toBe(1);
    expect(first.commands).toContain('query-status');
    expect(first.isOob('migrate-pause')).toBe(true);
    expect(first.isOob('query-status')).toBe(false);
  });

  it('asks again after a failure', async () => {
    const replies = [Promise.reject(new Error('busy')), Promise.resolve('no schema'), Promise.resolve(reply)];
    for (const one of replies) one.catch(() => undefined);
    const client = { execute: () => replies.shift() ?? Promise.reject(new Error('asked too often')) };
    await expect(loadSchema(client)).rejects.toThrow('busy');
    await expect(loadSchema(client)).rejects.toThrow(QmpSchemaError);
    await expect(loadSchema(client)).resolves.toBeInstanceOf(QmpSchema);
  });
});
