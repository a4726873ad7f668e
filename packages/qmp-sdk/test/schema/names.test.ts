import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SchemaEntity } from '../../src/schema/entities.js';
import { lockOf, nameTypes, readNameLock, withStableNames, writeNameLock } from '../../src/schema/names.js';
import { generateTypes } from '../../src/schema/generate.js';
import { indexEntities } from '../../src/schema/well-formed.js';
import { knownNames } from '../../src/types/names.js';
import { schemas } from './arbitraries.js';
import { snapshots } from './qemus.js';

const str: SchemaEntity = { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' };
const object = (name: string, members: Readonly<Record<string, string>>): SchemaEntity => ({
  ...{ name, 'meta-type': 'object' },
  members: Object.entries(members).map(([member, type]) => ({ name: member, type })),
});
const command = (name: string, args: string, result: string): SchemaEntity => ({
  ...{ name, 'meta-type': 'command', 'arg-type': args, 'ret-type': result },
});
const edgesOf = (schema: readonly SchemaEntity[], lock?: ReturnType<typeof lockOf>) => {
  const naming = nameTypes(indexEntities(schema), lock ? { lock } : {});
  return { ...naming, edges: Object.fromEntries(naming.edges) };
};
const stable = (schema: readonly SchemaEntity[]) => {
  const table = indexEntities(schema);
  return withStableNames(table, nameTypes(table));
};

/** The same schema from another build: other numbers, another order. */
function renumbered(schema: readonly SchemaEntity[], order: readonly number[]): readonly SchemaEntity[] {
  const number = (type: string): string =>
    type.replace(/\d+/, (digits) => (digits === '0' ? digits : `${Number(digits) * 3 + 7}`));
  const text = JSON.stringify(schema, (key, value: unknown) => {
    const isType = ['arg-type', 'ret-type', 'element-type', 'type'].includes(key);
    return isType && typeof value === 'string' ? number(value) : value;
  });
  const entities = (JSON.parse(text) as SchemaEntity[]).map((entity) => {
    const isNumbered = ['object', 'enum', 'alternate', 'array'].includes(entity['meta-type']);
    return isNumbered ? { ...entity, name: number(entity.name) } : entity;
  });
  return entities
    .map((entity, index) => ({ entity, rank: order[index % order.length] ?? 0 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ entity }) => entity);
}

describe('names of types', () => {
  it('are made of the way to the type', () => {
    const { edges } = edgesOf([
      str,
      command('query-status', '1', '2'),
      command('device_add', '3', '[4]'),
      object('1', {}),
      object('2', { 'run-state': '5', nested: '6' }),
      object('3', { id: 'str' }),
      object('4', { io_range: '7' }),
      { name: '[4]', 'meta-type': 'array', 'element-type': '4' },
      { name: '5', 'meta-type': 'enum', values: ['running'] },
      object('6', { deep: '2' }),
      object('7', { base: 'str' }),
      { name: 'JOB_DONE', 'meta-type': 'event', 'arg-type': '8' },
      object('8', { id: 'str' }),
    ]);
    expect(edges).toMatchObject({
      'query-status/arg-type': 'Empty',
      'query-status/ret-type': 'QueryStatusResult',
      'QueryStatusResult/run-state': 'QueryStatusRunState',
      'QueryStatusNested/deep': 'QueryStatusResult',
      'device_add/arg-type': 'DeviceAddArgs',
      'device_add/ret-type[]': 'DeviceAddResultItem',
      'DeviceAddResultItem/io_range': 'DeviceAddIoRange',
      'JOB_DONE/arg-type': 'JobDoneEvent',
    });
  });

  it('do not depend on numbers and order, for any schema', () => {
    fc.assert(
      fc.property(schemas, fc.array(fc.nat(), { minLength: 1 }), (schema, order) => {
        expect(new Set(stable(renumbered(schema, order)).map((entity) => JSON.stringify(entity)))).toEqual(
          new Set(stable(schema).map((entity) => JSON.stringify(entity))),
        );
      }),
    );
  });

  it('are the same when the schema is named again with its own lock', () => {
    for (const [name, { table, entities }] of snapshots) {
      const again = withStableNames(table, nameTypes(table, { lock: lockOf([table]) }));
      expect(again, name).toEqual(entities);
    }
  });

  it('are never two types of one schema', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const table = indexEntities(schema);
        const { names } = nameTypes(table);
        const named = [...names].filter(([type]) => type !== '0').map(([, name]) => name);
        expect(new Set(named).size).toBe(named.length);
      }),
    );
  });
});

describe('the lock', () => {
  const before = [
    ...[str, command('open', '1', '2'), command('shut', '3', '2')],
    ...[object('1', { how: 'str' }), object('2', { size: 'str' }), object('3', { how: 'str' })],
  ];
  const lock = lockOf([indexEntities(stable(before))]);

  it('keeps a name when an earlier way to the type appears', () => {
    const after = [...before, command('a-new-one', '1', '2')];
    expect(edgesOf(after).edges['open/arg-type']).toBe('ANewOneArgs');
    expect(edgesOf(after, lock).edges).toMatchObject({
      'a-new-one/arg-type': 'OpenArgs',
      'open/arg-type': 'OpenArgs',
    });
  });

  it('says when two types became one', () => {
    const after = [str, command('open', '1', '2'), command('shut', '1', '2'), object('1', {}), object('2', {})];
    const merged = [...after.slice(0, 3), object('1', { how: 'str' }), object('2', { size: 'str' })];
    expect(edgesOf(merged, lock).notes).toEqual([
      { kind: 'merged', edge: 'shut/arg-type', locked: 'ShutArgs', named: 'OpenArgs' },
    ]);
  });

  it('says when one type became two, and names the second anew', () => {
    const after = [...before.slice(1), str, object('4', { size: 'str', more: 'str' })].map((entity) =>
      entity.name === 'shut' ? command('shut', '3', '4') : entity,
    );
    const { edges, notes } = edgesOf(after, lock);
    expect(edges).toMatchObject({ 'open/ret-type': 'OpenResult', 'shut/ret-type': 'ShutResult' });
    expect(notes).toEqual([{ kind: 'split', edge: 'shut/ret-type', locked: 'OpenResult', named: 'ShutResult' }]);
  });

  it('does not give the name of an object to an enumeration', () => {
    const after = before.map((entity): SchemaEntity =>
      entity.name === '2' ? { name: '2', 'meta-type': 'enum', values: ['small'] } : entity,
    );
    expect(edgesOf(after, lock).edges['open/ret-type']).toBe('OpenResult2');
  });

  it('lets a person decide', () => {
    const curated = new Map([['open/ret-type', 'SizeInfo']]);
    expect(edgesOf(before, { ...lock, curated }).edges['shut/ret-type']).toBe('SizeInfo');
  });

  it('survives being written', () => {
    const known = knownNames();
    expect(readNameLock(writeNameLock(known))).toEqual(known);
    expect(known.edges.size).toBeGreaterThan(1000);
    expect(known.edges.get('query-status/ret-type')).toBe('StatusInfo');
  });

  it('gives the types of a numbered schema the names that the published ones have', () => {
    for (const { entities } of snapshots.values()) {
      const numbers = new Map(entities.map((entity, index) => [entity.name, `${index}`]));
      const anonymous = (type: string): string =>
        type.startsWith('[') ? `[${anonymous(type.slice(1, -1))}]` : (numbers.get(type) ?? type);
      const isNamed = (entity: SchemaEntity) => ['command', 'event', 'builtin'].includes(entity['meta-type']);
      entities.filter(isNamed).forEach(({ name }) => numbers.set(name, name));
      const text = JSON.stringify(entities, (key, value: unknown) =>
        ['arg-type', 'ret-type', 'element-type', 'type', 'name'].includes(key) && typeof value === 'string'
          ? key === 'name' && !numbers.has(value) && !value.startsWith('[')
            ? value
            : anonymous(value)
          : value,
      );
      const options = { lock: knownNames(), origin: 'Same.' };
      expect(generateTypes(JSON.parse(text), options)).toBe(generateTypes(entities, options));
    }
  });
});
