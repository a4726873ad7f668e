import { expect, it } from 'vitest';

import { PciError, pciErrorCodes } from '../src/index.js';
import { SysfsError } from '../src/sysfs/index.js';

it('carries code, next step and cause', () => {
  const cause = new Error('below');
  const error = new PciError('PCI_CONFIG_LENGTH', { problem: 'It is short.', nextStep: 'Read again.', cause });
  expect(error).toMatchObject({ name: 'PciError', code: 'PCI_CONFIG_LENGTH', nextStep: 'Read again.', cause });
  expect(error.message).toBe('It is short. Read again.');
});

it('has no cause when there is none', () => {
  expect('cause' in new PciError('PCI_SBDF_SYNTAX', { problem: 'a', nextStep: 'b' })).toBe(false);
});

it('is the base of the inventory’s errors', () => {
  const error = new SysfsError('SYSFS_IO', '/sys/x', { problem: 'a', nextStep: 'b' });
  expect(error).toBeInstanceOf(PciError);
  expect(error).toMatchObject({ name: 'SysfsError', path: '/sys/x' });
});

it('has each code once', () => {
  expect(new Set(pciErrorCodes).size).toBe(pciErrorCodes.length);
});
