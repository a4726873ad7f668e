import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileCache } from '../../src/xen/compile-cache.js';
import { temporaryFolder } from './folders.js';

test('is a folder of our own, made if need be', () => {
  const folder = join(temporaryFolder(), 'cache', 'xenpt');
  expect(compileCache(folder)).toEqual({ NODE_COMPILE_CACHE: folder });
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(compileCache(folder)).toEqual({ NODE_COMPILE_CACHE: folder });
  expect(compileCache(undefined)).toEqual({});
});

test('is not used where others may write, where it leads elsewhere, or where it cannot be made', () => {
  const open = join(temporaryFolder(), 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  expect(compileCache(open)).toEqual({});
  const link = join(temporaryFolder(), 'link');
  symlinkSync(open, link);
  expect(compileCache(link)).toEqual({});
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  expect(compileCache(join(file, 'xenpt'))).toEqual({});
});
