import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { fakeDomain, fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { exitCodeMeanings } from '../src/exit-code.js';
import { abortWhenUnread } from '../src/process.js';
import { verbs } from '../src/verbs/index.js';
import { CARD, fakeHost, parse, run } from './run.js';

test.each(verbs)('$name --help gives usage, examples and exit codes', async (verb) => {
  const { exitCode, stdout } = await run(fakeHost(), `${verb.name} --help`);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`Usage: xenpt ${verb.name} [options]`);
  for (const { name } of verb.arguments) expect(stdout).toContain(name);
  for (const code of [0, 2, ...verb.exitCodes] as const)
    expect(stdout).toContain(`${code}  ${exitCodeMeanings[code]}`);
  for (const [command] of verb.examples) expect(stdout).toContain(command);
  expect(stdout).toContain('--json');
});

test('--help names every verb and every exit code; --version is the package version', async () => {
  const { stdout } = await run(fakeHost(), '--help');
  for (const { name } of verbs) expect(stdout).toContain(name.split(' ')[0]);
  for (const meaning of Object.values(exitCodeMeanings)) expect(stdout).toContain(meaning);
  expect(await run(fakeHost(), '--version')).toMatchObject({ exitCode: 0, stdout: '0.1.0\n' });
});

test.each([
  ['', /Usage: xenpt/],
  ['attach 5', /missing required argument 'BDF\[@VSLOT\]\[,KEY=VALUE\]'/],
  ['attach 5 03:00.0 more', /"more", column 1/],
  ['assignable add', /missing required argument 'BDF'/],
  ['frobnicate', /unknown command 'frobnicate'/],
  ['list --colour', /unknown option '--colour'/],
  ['attach 5 03:00.0 --sysroot /tmp', /unknown option '--sysroot'/],
  ['attach 5 3:0', /Did you mean 0000:03:00\.0\?/],
])('"%s" is wrong usage: exit 2, nothing on stdout', async (line, message) => {
  const host = fakeHost();
  const { exitCode, stdout, stderr } = await run(host, line);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(host.journal.calls).toEqual([]);
});

test('wrong usage with --json is a document too', async () => {
  const { exitCode, stdout } = await run(fakeHost(), 'attach 5 --json');
  expect(exitCode).toBe(2);
  expect(parse(stdout)).toEqual({
    schemaVersion: 1,
    error: {
      code: 'XENPT_USAGE',
      message: "missing required argument 'BDF[@VSLOT][,KEY=VALUE]'",
      cause: null,
      next: 'See xenpt --help.',
    },
  });
});

test('an error tells a person what, why and what next, without a stack trace', async () => {
  const host = fakeHost();
  expect(await run(host, 'attach 5 03:00.0')).toMatchObject({
    exitCode: 4,
    stdout: '',
    stderr:
      "xenpt: 0000:03:00.0 is still used by dom0's driver e1000e\n  next: Run: xenpt assignable add 0000:03:00.0\n",
  });
  await run(host, 'assignable add 03:00.0');
  host.toolstack.assignError = 'ENOMEM';
  const { exitCode, stderr } = await run(host, 'attach 5 03:00.0');
  expect(exitCode).toBe(7);
  expect(stderr).toBe(
    'xenpt: attach 0000:03:00.0 to domain 5 (guest5): the step "assign the device to the domain" failed: ' +
      'xc_assign_device failed with ENOMEM\n  done: everything before it was undone\n' +
      '  next: Remove the cause and run the command again.\n',
  );
  expect((await run(host, 'attach 5 03:00.0 --debug')).stderr).toMatch(/\n\s+at .*attach/);
});

test('an error with --json is one document on stdout', async () => {
  const host = fakeHost();
  await run(host, 'assignable add 03:00.0');
  host.toolstack.assignError = 'ENOMEM';
  const { stdout } = await run(host, 'attach 5 03:00.0 --json');
  expect(parse(stdout)).toEqual({
    schemaVersion: 1,
    error: {
      code: 'XENPT_STEP_FAILED',
      message: expect.stringContaining('the step "assign the device to the domain" failed') as string,
      cause: 'xc_assign_device failed with ENOMEM',
      next: 'Remove the cause and run the command again.',
      step: 'assign the device to the domain',
      outcome: 'rolled-back',
      leftovers: [],
    },
  });
});

/** The bad cases of the main job: each bad case with its exit code and the words that a person looks for. */
test.each([
  ['no such device', 'attach 5 09:00.0', {}, 3, 'there is no PCI device 0000:09:00.0'],
  ['device on its driver', 'attach 5 03:00.0', {}, 4, 'xenpt assignable add'],
  ['no such domain', 'attach nobody 03:00.0', {}, 3, 'there is no domain "nobody"'],
  ['not HVM', 'attach 5 03:00.0', { domains: [fakeDomain(5, { flags: { hvm: false } })] }, 4, 'type="hvm"'],
  [
    'without passthrough',
    'attach 5 03:00.0',
    { domains: [fakeDomain(5, { iommu: false })], functions: [{ ...fakeNetworkCard, driver: 'pciback' }] },
    4,
    'passthrough="sync_pt"',
  ],
  ['detach of what is not attached', 'detach 5 03:00.0', {}, 3, 'is not attached to domain 5'],
  ['not root', 'attach 5 03:00.0', { isRoot: false }, 10, 'only root may attach a device'],
  ['not on Xen', 'assignable list', { xen: false }, 10, 'does not run on Xen'],
  ['pciback not loaded', 'assignable list', { pciback: false }, 10, 'modprobe xen-pciback'],
] as const)('bad case: %s', async (_name, line, options, exitCode, words) => {
  const result = await run(fakeHost(options), line);
  expect([result.exitCode, result.stdout]).toEqual([exitCode, '']);
  expect(result.stderr).toContain(words);
});

test('bad cases: attach twice, attached elsewhere, IOMMU off', async () => {
  const host = fakeHost({ domains: [fakeDomain(5), fakeDomain(6)] });
  await run(host, 'assignable add 03:00.0');
  await run(host, 'attach 5 03:00.0');
  const again = await run(host, 'attach 5 03:00.0');
  expect([again.exitCode, again.stderr]).toEqual([5, expect.stringContaining('attached to guest5 already')]);
  const elsewhere = await run(host, 'attach 6 03:00.0');
  expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([5, expect.stringContaining('xenpt detach 5 0000:03:00.0')]);
  host.toolstack.iommuEnabled = false;
  const off = await run(host, 'attach 6 03:00.0');
  expect([off.exitCode, off.stderr]).toEqual([10, expect.stringContaining('iommu=required')]);
});

test('the table of exit codes in the README is what the program says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
    expect(readme.split('\n').find((line) => line.startsWith(`| ${code.padEnd(9)} |`))).toContain(` ${meaning}`);
  }
});

test('several devices stop at the first that fails, and what was done is told', async () => {
  const host = fakeHost({ functions: [fakeNetworkCard, { sbdf: '0000:04:00.0', driver: 'igb' }] });
  await run(host, 'assignable add 03:00.0 04:00.0');
  host.sysfs.refusing.add('/sys/bus/pci/drivers/igb');
  const { exitCode, stdout } = await run(host, 'assignable remove 03:00.0 04:00.0 --json');
  expect(exitCode).toBe(7);
  expect(parse(stdout)).toMatchObject({ error: { code: 'XENPT_STEP_FAILED' }, devices: [{ sbdf: CARD }] });
});

test('of several devices none is taken when one cannot be', async () => {
  const host = fakeHost();
  const before = host.dump();
  const { exitCode, stdout } = await run(host, 'assignable add 03:00.0 09:00.0 --json');
  expect([exitCode, Object.keys(parse(stdout))]).toEqual([3, ['schemaVersion', 'error']]);
  expect(host.dump()).toEqual(before);
});

test('--sysroot reaches the host; colours only when wanted', async () => {
  const host = fakeHost();
  expect((await run(host, 'list --sysroot /tmp/tree')).opened).toEqual([{ sysroot: '/tmp/tree' }]);
  expect((await run(host, 'list')).stdout).not.toContain('\u001b[');
  expect((await run(host, 'list', { color: true })).stdout).toContain('\u001b[');
  expect((await run(host, 'list --json', { color: true })).stdout).not.toContain('\u001b[');
});

test('a reader that leaves ends the work; any other error of an output is one', () => {
  const stream = new PassThrough();
  const controller = new AbortController();
  abortWhenUnread(stream, controller);
  const failed = (code: string) => Object.assign(new Error(code), { code });
  expect(() => stream.emit('error', failed('ENOSPC'))).toThrow('ENOSPC');
  expect(controller.signal.aborted).toBe(false);
  stream.emit('error', failed('EPIPE'));
  expect(controller.signal.aborted).toBe(true);
});
