import { expect, it } from 'vitest';

import { sysfsFailure } from '../../src/sysfs/errors.js';

const failed = (code: string): Error => Object.assign(new Error(code), { code });

it.each([
  ['ENOENT', 'SYSFS_FUNCTION_NOT_FOUND', /xenpt list/],
  ['ENODEV', 'SYSFS_FUNCTION_NOT_FOUND', /removed/],
  ['EACCES', 'SYSFS_ACCESS_DENIED', /root/],
  ['EPERM', 'SYSFS_ACCESS_DENIED', /lockdown/],
  ['EIO', 'SYSFS_IO', /dmesg/],
])('%s becomes %s with a next step', (errno, code, message) => {
  const cause = failed(errno);
  const error = sysfsFailure('/sys/x', 'read', cause);
  expect(error).toMatchObject({ code, path: '/sys/x', cause });
  expect(error.message).toMatch(message);
});
