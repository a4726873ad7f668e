import { describe, expect, it } from 'vitest';
import { QmpSchemaError } from '../../src/schema/errors.js';
import { indexEntities } from '../../src/schema/well-formed.js';
import { snapshots } from './qemus.js';

const str = { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' };
const empty = { name: '0', 'meta-type': 'object', members: [] };

describe('indexEntities', () => {
  it('finds everything in a real schema', () => {
    const table = snapshots.get('qemu-10.0')?.table;
    expect(table?.commands.size).toBe(233);
    expect(table?.events.size).toBe(55);
    expect(table?.types.get('BlockInfo')).toMatchObject({ 'meta-type': 'object' });
  });

  it('takes enumerations of QEMU before 6.2, which have values only', () => {
    const table = indexEntities([{ name: '1', 'meta-type': 'enum', values: ['a'] }]);
    expect(table.types.get('1')).toMatchObject({ values: ['a'] });
  });

  it.each([
    ['no array', { return: [] }, /not object/],
    ['nothing', undefined, /not undefined/],
    ['an entity without name', [{ 'meta-type': 'event', 'arg-type': '0' }], /Entity 0 .* no name/],
    ['null', [str, null], /Entity 1 .* no name/],
    ['a kind of the future', [{ name: 'x', 'meta-type': 'stream' }], /"x" is of unknown kind "stream"/],
    ['an inherited kind', [{ name: 'x', 'meta-type': 'constructor' }], /unknown kind "constructor"/],
    ['an object without members', [{ name: '1', 'meta-type': 'object' }], /"1" is not a well-formed object/],
    ['an unnamed member', [str, { ...empty, members: [{ type: 'str' }] }], /"0" is not a well-formed object/],
    ['a builtin of no JSON kind', [{ ...str, 'json-type': 'text' }], /"str" is not a well-formed builtin/],
    ['an unnamed feature', [{ ...empty, features: [1] }], /"0" is not a well-formed object/],
    [
      'a missing type',
      [empty, { name: 'stop', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '1' }],
      /"stop" refers to type "1"/,
    ],
    [
      'an array of itself',
      [{ name: '[a]', 'meta-type': 'array', 'element-type': '[a]' }],
      /"\[a\]" .* contains itself/,
    ],
    [
      'an object that is its own variant',
      [{ ...empty, tag: 't', variants: [{ case: 'a', type: '0' }] }],
      /"0" .* contains itself/,
    ],
    [
      'an alternate in an alternate',
      [
        { name: '1', 'meta-type': 'alternate', members: [{ type: '2' }] },
        { name: '2', 'meta-type': 'alternate', members: [{ type: 'str' }] },
        str,
      ],
      /Alternate "1" .* has the alternate "2"/,
    ],
  ])('refuses %s', (_, schema, message) => {
    expect(() => indexEntities(schema)).toThrow(QmpSchemaError);
    expect(() => indexEntities(schema)).toThrow(message);
  });

  it('walks a deep chain of types without a deep stack', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => ({
      ...{ name: `[${index}]`, 'meta-type': 'array' },
      'element-type': index === 0 ? 'str' : `[${index - 1}]`,
    }));
    expect(() => indexEntities([str, ...chain.reverse()])).toThrow(/nested/);
  });
});
