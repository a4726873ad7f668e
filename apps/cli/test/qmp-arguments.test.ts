import { describe, expect, test } from 'vitest';
import { QmpSchema } from '@xenpt/qmp-sdk/schema';
import { parseArguments } from '../src/qmp-arguments.js';
import { completeLine, describeArguments } from '../src/qmp-completion.js';
import { splitLine } from '../src/split-line.js';
import { smallSchema } from './fake-qemu.js';

const schema = new QmpSchema(smallSchema);

describe('arguments get the types of their places', () => {
  test.each([
    ['set-all', 'number=7', { number: 7 }],
    ['set-all', 'number=0x10 text=7 switch=on', { number: 16, text: '7', switch: true }],
    ['set-all', 'number=-3 switch=false ratio=2.5', { number: -3, switch: false, ratio: 2.5 }],
    ['set-all', 'number=18446744073709551615', { number: 18446744073709551615n }],
    ['set-all', 'choice=two list=1,2,3', { choice: 'two', list: [1, 2, 3] }],
    ['set-all', 'list=[4] list2:=[5]', { list: [4], list2: [5] }],
    ['set-all', 'list= text=', { list: [], text: '' }],
    ['set-all', 'nested.deep=1', { nested: { deep: 1 } }],
    ['set-all', 'nested={"deep":1}', { nested: { deep: 1 } }],
    ['set-all', 'either=null text=null', { either: null, text: 'null' }],
    ['set-all', 'text:="7" text2:=7', { text: '7', text2: 7 }],
    ['set-all', 'text=a=b', { text: 'a=b' }],
    ['set-all', '{"number":1}', { number: 1 }],
    ['blockdev-add', 'driver=null-co size=4096', { driver: 'null-co', size: 4096 }],
    [
      'blockdev-add',
      'driver=raw file.driver=null-co file.size=4096',
      { driver: 'raw', file: { driver: 'null-co', size: 4096 } },
    ],
    ['device_add', 'driver=x mac=00:16 vectors=4 on=off', { driver: 'x', mac: '00:16', vectors: 4, on: false }],
    ['nosuch', 'a=1 b=text c={"d":true}', { a: 1, b: 'text', c: { d: true } }],
  ])('%s %s', (command, line, expected) => {
    expect(parseArguments(schema, command, splitLine(line))).toEqual(expected);
  });

  test.each([
    ['set-all', 'number', 'is no argument'],
    ['set-all', 'number=many', 'not an integer'],
    ['set-all', 'choice=three', 'not one of one, two'],
    ['set-all', 'switch=maybe', 'not on or off'],
    ['set-all', 'text=a text=b', '"text" is given twice'],
    ['set-all', 'nested.deep=1 nested.deep.er=2', 'has a value already'],
    ['set-all', 'number:={', 'not JSON'],
    ['set-all', '{"number":1', 'not JSON'],
    ['set-all', '{"number":1} text=a', 'is no argument'],
  ])('%s %s is wrong usage', (command, line, message) => {
    expect(() => parseArguments(schema, command, line.split(' '))).toThrow(message);
  });

  test('no prototype is reached', () => {
    const parsed = parseArguments(schema, 'nosuch', ['__proto__:={"polluted":1}', 'constructor=1']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.hasOwn(parsed, 'constructor')).toBe(true);
  });
});

test('a line is split at blanks, but not in quotes and JSON', () => {
  expect(splitLine(`a  b='c d' "e \\"f" {"g": "} h"} i={"j": [1, 2]} k[0]`)).toEqual([
    ...['a', 'b=c d', 'e "f', '{"g": "} h"}', 'i={"j": [1, 2]}', 'k[0]'],
  ]);
  expect(() => splitLine('a "b')).toThrow('a quote is not closed');
  expect(() => splitLine('a {"b": 1')).toThrow('a bracket is not closed');
});

describe('completion', () => {
  test.each([
    ['que', ['query-commands ', 'query-status ']],
    ['ex', ['exit ']],
    ['help set', ['set-all ']],
    ['set-all n', ['number=', 'nested=']],
    ['set-all number=1 n', ['nested=']],
    ['set-all choice=', ['choice=one ', 'choice=two ']],
    ['set-all switch=o', ['switch=on ', 'switch=off ']],
    ['set-all nested.', ['nested.deep=']],
    ['blockdev-add driver=null-co s', ['size=']],
    ['blockdev-add driver=raw file.d', ['file.driver=']],
    ['nosuch x', []],
    ['set-all {"a', []],
  ])('%s', (line, expected) => {
    expect(completeLine(schema, line)[0]).toEqual(expected);
  });

  test('arguments are described', () => {
    expect(describeArguments(schema, 'set-all').slice(0, 4)).toEqual([
      { path: 'number', optional: false, type: 'int' },
      { path: 'text', optional: true, type: 'str' },
      { path: 'switch', optional: true, type: 'bool' },
      { path: 'choice', optional: true, type: 'one of one, two' },
    ]);
  });
});
