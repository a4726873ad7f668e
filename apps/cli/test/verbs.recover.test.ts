import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDirtyLog } from '@xenpt/qmp-sdk/xen';
import type { FakeHost } from '@xenpt/qmp-sdk/xen/testing';
import { fakeHost, parse, run } from './run.js';

const recordOf = (host: FakeHost, domid = 5) => join(host.runDir, 'dirty-log', `domain-${domid}.json`);

/** A host on which a measurement of domain 5, process 4700, was killed. */
async function afterKill(): Promise<FakeHost> {
  const host = fakeHost();
  host.processList.start(4700, ['node', 'xenpt', 'dirty-rate', '5']);
  await openDirtyLog({ ...host, processes: { pid: 4700, isAlive: () => true } }, { domain: '5' });
  host.processList.kill(4700);
  return host;
}

test('recover: nothing to do', async () => {
  const { exitCode, stdout, stderr } = await run(fakeHost(), 'recover');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(
    'Nothing to recover: no device is between two drivers or half with a guest, no dirty logging is recorded as on, ' +
      'no guest waits.\n',
  );
});

test('recover: switches off what a killed process left on', async () => {
  const host = await afterKill();
  expect(host.dirtyLogs.isOn(5)).toBe(true);
  const { exitCode, stdout, stderr } = await run(host, 'recover');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe('Dirty logging of domain 5 is off; process 4700, which had switched it on, is dead.\n');
  expect(host.dirtyLogs.isOn(5)).toBe(false);
  expect(existsSync(recordOf(host))).toBe(false);
});

test('recover --json: what was found and done', async () => {
  const { stdout } = await run(await afterKill(), 'recover --json');
  expect(parse(stdout)).toEqual({
    schemaVersion: 1,
    transactions: [],
    dirtyLogs: [
      {
        domid: 5,
        handle: '00000000-0000-4000-8000-000000000005',
        owner: 4700,
        outcome: 'switched-off',
        sentence: expect.stringContaining('is off') as string,
      },
    ],
    devices: [],
    restarts: [],
  });
});

test('recover -N: what it would write, and nothing is written', async () => {
  const host = await afterKill();
  const { exitCode, stdout, stderr } = await run(host, 'recover -N');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(
    [
      'domain 5: process 4700, which had switched dirty logging on, is dead.',
      '  nothing is written; this would be done:',
      '  1. switch dirty logging off',
      '       xc_shadow_control domain 5: OP_OFF',
      '  2. forget the measurement',
      `       rm ${recordOf(host)}`,
      '',
    ].join('\n'),
  );
  expect([host.dirtyLogs.isOn(5), existsSync(recordOf(host))]).toEqual([true, true]);
  expect(parse((await run(host, 'recover --dry-run --json')).stdout)).toMatchObject({
    dryRun: true,
    dirtyLogs: [],
    plans: [
      { subject: 'domain 5', steps: [{ title: 'switch dirty logging off' }, { title: 'forget the measurement' }] },
    ],
  });
  writeFileSync(recordOf(host, 6), '{}');
  expect((await run(host, 'recover -N')).stdout).toMatch(
    /^domain 6: .*cannot be read.*\n {2}nothing would be done$/m,
  );
  expect((await run(fakeHost(), 'recover -N')).stdout).toMatch(/^Nothing to recover: /);
});

test('recover: what it could not do is on stderr, and in the exit code', async () => {
  const host = await afterKill();
  writeFileSync(recordOf(host, 6), '{}');
  const { exitCode, stdout, stderr } = await run(host, 'recover');
  expect(exitCode).toBe(8);
  expect(stdout).toMatch(/^Dirty logging of domain 5 is off/);
  expect(stderr).toMatch(/^note: Domain 6: .*domain-6\.json cannot be read/);
  expect(existsSync(recordOf(host, 6))).toBe(true);
});

test('recover: without Xen it says so', async () => {
  const { exitCode, stderr } = await run(fakeHost({ xen: false }), 'recover');
  expect(exitCode).toBe(10);
  expect(stderr).toContain('does not run on Xen');
});
