import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeAtomically } from '../../src/xen/atomic-file.js';
import { temporaryFolder } from './folders.js';

test('the file is there as a whole, with its mode', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  const bytes = new Uint8Array(300_000).fill(7);
  writeAtomically(path, bytes, 0o666);
  expect([statSync(path).mode & 0o7777, readFileSync(path).equals(bytes)]).toEqual([0o666, true]);
  writeAtomically(path, 'text');
  expect([statSync(path).mode & 0o7777, readFileSync(path, 'utf8')]).toEqual([0o600, 'text']);
  expect(readdirSync(folder)).toEqual(['file']);
});

test('what goes wrong before the renaming leaves the old file, and nothing beside it', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  writeFileSync(path, 'old');
  const beforeRename = () => {
    expect([readFileSync(path, 'utf8'), readFileSync(join(folder, 'aside'), 'utf8')]).toEqual(['old', 'new']);
    throw new Error('changed meanwhile');
  };
  expect(() => writeAtomically(path, 'new', 0o600, { aside: join(folder, 'aside'), beforeRename })).toThrow(
    'changed meanwhile',
  );
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old', ['file']]);
});
