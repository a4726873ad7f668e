import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { dropProgramPages } from '../src/program-pages.js';
import { ensureAddon } from './support/build.js';

beforeAll(ensureAddon);

const residentOfFiles = () => Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

it('works without Xen: what a start needed of files is not resident any more, and all goes on', () => {
  const before = residentOfFiles();
  const dropped = dropProgramPages();
  const after = residentOfFiles();
  expect(dropped).toBeGreaterThan(10 * 2 ** 20);
  expect(after).toBeLessThan(before / 2);
  expect(JSON.parse('{"a":[1,2,3]}')).toEqual({ a: [1, 2, 3] });
  expect(() => new RegExp('(')).toThrow(SyntaxError);
  expect(dropProgramPages()).toBe(dropped);
});
