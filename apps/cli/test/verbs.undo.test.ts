import { expect, test } from 'vitest';
import { CARD, fakeHost, parse, run } from './run.js';

test('undo takes the last one back; --list shows what was done', async () => {
  const host = fakeHost();
  const before = host.dump();
  const added = await run(host, 'assignable add 03:00.0');
  expect(added.stdout).toBe(`${CARD} is assignable; its driver was e1000e; undo with: xenpt undo 1\n`);
  expect(await run(host, 'undo')).toMatchObject({
    exitCode: 0,
    stdout: `${CARD} is bound to e1000e again (number 000001 is undone)\n`,
  });
  expect(host.dump()).toEqual(before);
  const listed = await run(host, 'undo --list');
  expect(listed.stdout.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^ID +TIME +WHAT +DEVICE +STATE +OVERRIDES$/),
    expect.stringMatching(/^000002 +2026-11-22T00:00:00Z +assignable remove +0000:03:00\.0 +done +-$/),
    expect.stringMatching(/^000001 .* assignable add +0000:03:00\.0 +undone +-$/),
  ]);
  expect(parse((await run(host, 'undo --list --json')).stdout)).toMatchObject({
    schemaVersion: 1,
    transactions: [
      { id: '000002', undoes: '000001', state: 'done', thisBoot: true },
      { id: '000001', state: 'undone', overrides: [] },
    ],
  });
});

test.each([
  ['undo', 4, 'nothing to undo'],
  ['undo 7', 3, 'no transaction 7'],
  ['undo 7 --list', 2, '--list takes no id'],
])('"%s" on a host where nothing was done: exit %i', async (line, exitCode, words) => {
  const result = await run(fakeHost(), line);
  expect([result.exitCode, result.stdout]).toEqual([exitCode, '']);
  expect(result.stderr).toContain(words);
});

test('-N prints what would be written, and writes nothing', async () => {
  const host = fakeHost();
  const before = host.dump();
  const { stdout } = await run(host, 'assignable add 03:00.0 -N');
  expect(stdout).toContain('1. record the driver\n');
  expect(stdout).toContain('"0000:03:00.0" > /sys/bus/pci/drivers/pciback/bind\n');
  expect(host.dump()).toEqual(before);
  await run(host, 'assignable add 03:00.0');
  const assignable = host.dump();
  for (const line of ['undo -N', 'assignable remove 03:00.0 --dry-run']) {
    expect((await run(host, line)).stdout).toContain('"0000:03:00.0" > /sys/bus/pci/drivers/e1000e/bind\n');
  }
  expect(host.dump()).toEqual(assignable);
});
