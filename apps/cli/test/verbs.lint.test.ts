import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type FakeHost } from '@xenpt/qmp-sdk/xen/testing';
import { fakeHost, parse, run } from './run.js';

function put(host: FakeHost, path: string, text: string): string {
  const file = join(host.sysfs.root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('lint names the file, the place, the consequence and what to write', async () => {
  const host = fakeHost();
  const file = put(host, 'etc/xen/web.cfg', 'name="web"\npci=["03:31.0"]\n');
  const { exitCode, stdout, stderr } = await run(host, 'lint');
  expect(exitCode).toBe(1);
  expect(stdout).toBe(
    `${file}:2:10: error: device 31 does not exist: in hexadecimal the highest is 1f: xl refuses the guest ` +
      '[config-malformed]\n    Did you mean 0000:03:1f.0?\n',
  );
  expect(stderr).toContain(`Looked at ${file}`);
  expect(parse((await run(host, `lint ${file} --json`)).stdout)).toMatchObject({
    files: [
      { path: file, kind: 'xl', findings: [{ severity: 'error', rule: 'config-malformed', line: 2, column: 10 }] },
    ],
  });
});

test('warnings alone, and nothing at all, end well', async () => {
  const host = fakeHost();
  expect(await run(host, 'lint')).toMatchObject({ exitCode: 0, stdout: 'Nothing is wrong.\n' });
  put(host, 'proc/cmdline', 'quiet xen-pciback.hide=(03:00.0)\n');
  const { exitCode, stdout } = await run(host, 'lint');
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('warning: an address without its segment')]);
});

test('a file that is not there, and a kind that is none', async () => {
  expect(await run(fakeHost(), 'lint /nowhere')).toMatchObject({ exitCode: 3, stdout: '' });
  expect(await run(fakeHost(), 'lint --as yaml /nowhere')).toMatchObject({ exitCode: 2, stdout: '' });
});
