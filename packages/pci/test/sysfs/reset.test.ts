import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { parseSbdf } from '../../src/index.js';
import { canResetFunction, resetFunction } from '../../src/sysfs/index.js';
import { SysfsTree } from '../support/sysfs-tree.js';

const address = '0000:03:00.0';
const sbdf = parseSbdf(address);

it('writes 1', () => {
  using tree = new SysfsTree();
  resetFunction(sbdf, tree.add(address));
  expect(readFileSync(tree.path(address, 'reset'), 'utf8')).toBe('1');
});

it('says when the kernel has no way, and creates nothing', () => {
  using tree = new SysfsTree();
  tree.add(address, { reset: null });
  expect(() => resetFunction(sbdf, tree)).toThrow(
    expect.objectContaining({ code: 'SYSFS_RESET_UNSUPPORTED' }) as Error,
  );
  expect(existsSync(tree.path(address, 'reset'))).toBe(false);
});

it('tells whether the kernel has a way before it is needed', () => {
  using tree = new SysfsTree();
  tree.add(address).add('0000:04:00.0', { reset: null });
  expect(canResetFunction(sbdf, tree)).toBe(true);
  expect(canResetFunction(parseSbdf('0000:04:00.0'), tree)).toBe(false);
});

it('says which function is not there', () => {
  using tree = new SysfsTree();
  expect(() => resetFunction(sbdf, tree)).toThrow(
    expect.objectContaining({ code: 'SYSFS_FUNCTION_NOT_FOUND' }) as Error,
  );
});
