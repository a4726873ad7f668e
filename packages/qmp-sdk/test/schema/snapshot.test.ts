import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { QmpSchemaError } from '../../src/schema/errors.js';
import { readSnapshot, writeSnapshot } from '../../src/schema/snapshot.js';
import { snapshots } from './qemus.js';

describe('a snapshot', () => {
  it.each([...snapshots])('%s is written as it was read', (name, { origin, entities }) => {
    const text = readFileSync(new URL(`../../schemas/${name}.jsonl`, import.meta.url), 'utf8');
    expect(writeSnapshot(origin, entities)).toBe(text);
    expect(name).toMatch(`qemu-${origin.version}`);
  });

  it('does not depend on the order in which QEMU writes the members of an entity', () => {
    const origin = { version: '1.0', package: '', binary: 'qemu' };
    const one = writeSnapshot(origin, [{ name: 'a', 'meta-type': 'object', members: [] }]);
    const other = writeSnapshot(origin, [{ members: [], 'meta-type': 'object', name: 'a' }]);
    expect(one).toBe(other);
    expect(readSnapshot(one).origin).toEqual(origin);
  });

  it.each([
    ['', /where it was taken/],
    ['{"name":"a"}\n', /where it was taken/],
    ['{"version":"1.0","package":"","binary":"q"}\n{', /Line 2 .* is not JSON/],
    ['{"version":"1.0","package":"","binary":"q"}\n[]', /Entity 0/],
  ])('refuses %j', (text, message) => {
    expect(() => readSnapshot(text)).toThrow(QmpSchemaError);
    expect(() => readSnapshot(text)).toThrow(message);
  });

  it('has one of each recorded QEMU', () => {
    expect([...snapshots.keys()]).toEqual([
      'qemu-7.2',
      'qemu-7.2-xen',
      'qemu-10.0',
      'qemu-10.0-xen',
      'qemu-11.1',
      'qemu-11.1-xen',
    ]);
  });
});
