import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RestartPolicy } from '../../src/xen/restart-policy.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenpt-policy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const restarts = (policy: RestartPolicy) => [0, 1, 2, 3, 4, 5, 255].filter((code) => policy.restartsAfter(code));

test.each([
  ['what stands at its default is destroyed', {}, []],
  ['xl’s own defaults', { on_reboot: 'restart', on_watchdog: 'destroy' }, [1]],
  ['all of them', { on_poweroff: 'restart', on_crash: 'coredump_restart', on_watchdog: 'rename_restart' }, [0, 3, 4]],
  ['kept to be looked at', { on_reboot: 'preserve', on_crash: 'coredump_destroy' }, []],
])('%s', (_name, config, expected) => {
  const path = join(folder, 'libxl-json');
  writeFileSync(path, `${JSON.stringify({ c_info: { type: 'hvm' }, ...config })}\0`);
  expect(restarts(new RestartPolicy(path))).toEqual(expected);
});

test('where libxl keeps nothing, a reboot is one', () => {
  expect(restarts(new RestartPolicy(join(folder, 'none')))).toEqual([1]);
});

test('what libxl had said holds when its file has gone with the domain, and a later word before it', () => {
  const path = join(folder, 'libxl-json');
  writeFileSync(path, '{"on_reboot": "destroy"}');
  const policy = new RestartPolicy(path);
  rmSync(path);
  expect(restarts(policy)).toEqual([]);
  writeFileSync(path, '{"on_reboot": "restart"}');
  expect(restarts(policy)).toEqual([1]);
  writeFileSync(path, '{"on_reboot": ');
  expect(restarts(policy)).toEqual([1]);
});
