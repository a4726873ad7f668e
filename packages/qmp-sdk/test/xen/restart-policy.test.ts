import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { restartsAfter } from '../../src/xen/restart-policy.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenpt-policy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const codes = [0, 1, 2, 3, 4, 5, 255];

test.each([
  ['what stands at its default is destroyed', {}, []],
  ['xl’s own defaults', { on_reboot: 'restart', on_watchdog: 'destroy' }, [1]],
  ['all of them', { on_poweroff: 'restart', on_crash: 'coredump_restart', on_watchdog: 'rename_restart' }, [0, 3, 4]],
  ['kept to be looked at', { on_reboot: 'preserve', on_crash: 'coredump_destroy' }, []],
])('%s', (_name, config, expected) => {
  const path = join(folder, 'libxl-json');
  writeFileSync(path, `${JSON.stringify({ c_info: { type: 'hvm' }, ...config })}\0`);
  expect(codes.filter((code) => restartsAfter(path, code))).toEqual(expected);
});

test('where libxl keeps nothing, a reboot is one', () => {
  expect(codes.filter((code) => restartsAfter(join(folder, 'none'), code))).toEqual([1]);
});
