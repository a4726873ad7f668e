import { expect, test } from 'vitest';
import { findSaver } from '../../src/xen/dirty-log-migration.js';
import { FakeProcesses } from '../../src/xen/testing/index.js';

const helper = '/usr/lib/xen-4.20/bin/libxl-save-helper';

test.each([
  ['xl save and xl migrate', [helper, '--save-domain', '10', '-1', '5', '1', '63'], 'libxl-save-helper'],
  ['XAPI', ['/usr/libexec/xen/bin/xenguest', '-debug', '-domid', '5', '-mode', 'hvm_save'], 'xenguest'],
])('%s', (_name, words, program) => {
  const processes = new FakeProcesses(1);
  processes.start(90, words);
  expect(findSaver(processes, 5)).toEqual({ pid: 90, program });
  expect(findSaver(processes, 50)).toBeUndefined();
  expect(findSaver(processes, 1)).toBeUndefined();
});

test('not a restore, nor a program that only has such words', () => {
  const processes = new FakeProcesses(1);
  processes.start(90, [helper, '--restore-domain', '10', '-1', '5', '1', '63']);
  processes.start(91, ['vi', 'libxl-save-helper', '--save-domain', '8', '9', '5']);
  processes.start(92, ['xenguest']);
  processes.start(93, []);
  expect(findSaver(processes, 5)).toBeUndefined();
});
