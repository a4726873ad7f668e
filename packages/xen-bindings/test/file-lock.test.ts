import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tryFlock } from '../src/file-lock.js';
import { ensureAddon } from './support/build.js';

const folder = mkdtempSync(join(tmpdir(), 'xenpt-flock-'));
beforeAll(ensureAddon);
afterAll(() => rmSync(folder, { recursive: true }));

it('takes a lock that is free, not one that another open file has, and again once that is closed', () => {
  const [one, other] = [openSync(join(folder, 'lock'), 'w'), openSync(join(folder, 'lock'), 'w')];
  expect(tryFlock(one)).toBe(true);
  expect(tryFlock(one)).toBe(true);
  expect(tryFlock(other)).toBe(false);
  closeSync(one);
  expect(tryFlock(other)).toBe(true);
  closeSync(other);
});

it('says what the kernel has against a descriptor', () => {
  const fd = openSync(join(folder, 'lock'), 'w');
  closeSync(fd);
  expect(() => tryFlock(fd)).toThrow(expect.objectContaining({ call: 'flock', errnoName: 'EBADF' }) as Error);
  expect(() => tryFlock('3' as unknown as number)).toThrow(TypeError);
});
