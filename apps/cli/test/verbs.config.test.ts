import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { CARD, fakeHost, parse, run } from './run.js';

const before = 'name="web"\n# cards\npci=["04:00.0"] # disk\n';

function withConfig(text = before) {
  const host = fakeHost();
  const path = join(host.sysfs.root, 'etc/xen/web.cfg');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return { host, path, read: () => readFileSync(path, 'utf8') };
}

test('config add, config remove: what was done, and the file as it was', async () => {
  const { host, path, read } = withConfig();
  expect(await run(host, `config add ${path} 03:00.0@5,permissive=1`)).toMatchObject({
    exitCode: 0,
    stdout: `${path} has ${CARD}@05,permissive=1\n`,
    stderr: '',
  });
  expect(read()).toBe(before.replace('"]', `", "${CARD}@05,permissive=1"]`));
  expect(await run(host, `config remove ${path} 03:00.0`)).toMatchObject({
    exitCode: 0,
    stdout: `${path} no longer has ${CARD}@05,permissive=1\n`,
  });
  expect(read()).toBe(before);
});

test.each(['add', 'remove'])('config %s -N shows the difference and changes nothing', async (verb) => {
  const { host, path, read } = withConfig();
  const device = verb === 'add' ? '03:00.0' : '04:00.0';
  const { exitCode, stdout } = await run(host, `config ${verb} ${path} ${device} -N`);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    [
      `--- ${path}`,
      `+++ ${path}`,
      '@@ -1,3 +1,3 @@',
      ' name="web"',
      ' # cards',
      '-pci=["04:00.0"] # disk',
      verb === 'add' ? `+pci=["04:00.0", "${CARD}"] # disk` : '+pci=[] # disk',
      '',
    ].join('\n'),
  );
  expect(read()).toBe(before);
});

test('config --json: what changed', async () => {
  const { host, path } = withConfig();
  const { stdout } = await run(host, `config add --json ${path} 03:00.0`);
  expect(parse(stdout)).toEqual({
    schemaVersion: 1,
    path,
    dryRun: false,
    devices: [CARD],
    diff: expect.stringContaining(`+pci=["04:00.0", "${CARD}"] # disk`) as string,
  });
});

test.each([
  ['config add FILE 04:00.0', before, 4, 'has 0000:04:00.0 already: line 3 is "04:00.0"'],
  ['config remove FILE 03:00.0', before, 3, 'does not have 0000:03:00.0, but 0000:04:00.0'],
  ['config add FILE 03:00.0', 'pci=[', 1, 'is not changed, since it cannot be read'],
  ['config add FILE 03:00.8', before, 2, 'column 7'],
  ['config add FILE 03:00.0@5', 'pci=["04:00.0@5"]', 5, 'slot 5 of the guest is taken'],
  ['config add FILE', before, 2, 'missing required argument'],
  ['config remove /nowhere/x.cfg 03:00.0', before, 3, 'there is no file /nowhere/x.cfg'],
])('%s: refused, and nothing written', async (line, text, code, message) => {
  const { host, path, read } = withConfig(text);
  const { exitCode, stdout, stderr } = await run(host, line.replace('FILE', path));
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
  expect(stderr).toContain(message);
  expect(read()).toBe(text);
});

test('completion: files for FILE, the devices of the host to add, those of the file to remove', async () => {
  const { host, path } = withConfig();
  const completed = async (...words: string[]) => (await run(host, '', { words: ['__complete', ...words] })).stdout;
  expect(await completed('config', '')).toBe(
    "add\twrite devices into pci=[...] of a guest's xl.cfg; everything else in it stays\n" +
      "remove\ttake devices out of pci=[...] of a guest's xl.cfg; everything else in it stays\n",
  );
  expect(await completed('config', 'add', '')).toBe('');
  expect(await completed('config', 'add', path, '0')).toContain(CARD);
  expect(await completed('config', 'remove', path, '0')).toBe('0000:04:00.0\t\n');
});
