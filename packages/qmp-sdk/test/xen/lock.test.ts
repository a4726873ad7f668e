import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tryLock, withLock } from '../../src/xen/lock.js';
import { createFakeClock } from '../../src/xen/testing/index.js';
import { temporaryFolder } from './folders.js';
import { failure } from './hosts.js';

const me = { pid: 10, isAlive: (pid: number) => pid === 10 || pid === 20 };

test('one holder at a time; release twice is fine', () => {
  const path = join(temporaryFolder(), 'lock');
  const first = tryLock(path, me);
  expect(tryLock(path, { ...me, pid: 20 })).toBeUndefined();
  first?.release();
  first?.release();
  const second = tryLock(path, { ...me, pid: 20 });
  first?.release();
  expect(existsSync(path)).toBe(true);
  second?.release();
  expect(existsSync(path)).toBe(false);
});

test('takes over from a process that is gone', () => {
  const path = join(temporaryFolder(), 'lock');
  writeFileSync(path, '30');
  expect(tryLock(path, me)).toBeDefined();
});

test('never takes a lock whose holder cannot be read', () => {
  const path = join(temporaryFolder(), 'lock');
  writeFileSync(path, '');
  expect(tryLock(path, me)).toBeUndefined();
});

test('leaves no file but the lock', () => {
  const folder = temporaryFolder();
  const lock = tryLock(join(folder, 'lock'), me);
  tryLock(join(folder, 'lock'), { ...me, pid: 20 });
  expect(readdirSync(folder)).toEqual(['lock']);
  expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe('10');
  expect(statSync(join(folder, 'lock')).mode & 0o777).toBe(0o600);
  lock?.release();
});

test('waits, then names the holder; releases after a failure', async () => {
  const path = join(temporaryFolder(), 'lock');
  const host = { clock: createFakeClock(), processes: me };
  writeFileSync(path, '20');
  const error = await failure(withLock(path, host, 1000, () => Promise.resolve()));
  expect(error).toMatchObject({ code: 'XENPT_LOCKED', message: expect.stringContaining('process 20') as string });
  const free = join(temporaryFolder(), 'lock');
  await expect(withLock(free, host, 1000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(free)).toBe(false);
});
