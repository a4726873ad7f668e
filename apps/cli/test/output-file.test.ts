import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeOutput } from '../src/output-file.js';

const folder = mkdtempSync(join(tmpdir(), 'xenpt-output-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('replaces a file whole', () => {
  const path = join(folder, 'one');
  writeOutput(path, 'first', 7);
  writeOutput(path, 'second', 7);
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['second', ['one']]);
});

test('a place where nothing can be written is named, with why, and nothing is left beside it', () => {
  const missing = join(folder, 'missing/file');
  expect(() => writeOutput(missing, 'x', 7)).toThrow(`${missing} cannot be written: its folder is not there`);
  expect(() => writeOutput(folder, 'x', 7)).toThrow(/cannot be written/);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(folder.slice(tmpdir().length + 1)))).toHaveLength(1);
});
