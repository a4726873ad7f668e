import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeHost, parse, run } from './run.js';

const path = '/etc/systemd/system/xenpt-device-model@.service';
const unitOf = (host: ReturnType<typeof fakeHost>) => host.sysfs.root + path;
const calls = (host: ReturnType<typeof fakeHost>) =>
  host.journal.calls.filter((call) => call.startsWith('systemctl'));

test('setup: shows the unit, asks on a terminal, writes it, and has systemd read it', async () => {
  const host = fakeHost({ systemd: true });
  const questions: string[] = [];
  const no = (question: string) => {
    questions.push(question);
    return Promise.resolve(false);
  };
  const declined = await run(host, 'setup', { confirm: no });
  expect([declined.exitCode, questions.length, existsSync(unitOf(host))]).toEqual([4, 1, false]);
  expect(declined.stderr).toMatch(/^ {2}\| ExecStart=\/usr\/bin\/node .*model-main\.js \/run\/xenpt\/domain-%i\//m);
  const { exitCode, stdout, stderr } = await run(host, 'setup --yes', { confirm: no });
  expect([exitCode, stdout, questions.length]).toEqual([0, `${path} is written\n`, 1]);
  expect(stderr).toMatch(/then: systemctl daemon-reload/);
  expect(readFileSync(unitOf(host), 'utf8')).toMatch(/^Restart=on-failure$/m);
  expect(calls(host)).toEqual(['systemctl daemon-reload']);
  expect((await run(host, 'setup')).stdout).toBe('everything is as it should be\n');
  expect(calls(host)).toHaveLength(1);
});

test('setup --dry-run writes nothing; --remove takes back what was written, while no model runs', async () => {
  const host = fakeHost({ systemd: true });
  const dry = await run(host, 'setup -N');
  expect([dry.exitCode, existsSync(unitOf(host)), calls(host)]).toEqual([0, false, []]);
  expect(dry.stdout).toContain(path);
  await run(host, 'setup');
  mkdirSync(join(host.runDir, 'domain-5'), { recursive: true });
  writeFileSync(join(host.runDir, 'domain-5', 'model.pid'), '711');
  host.processList.start(711, ['node']);
  const refused = await run(host, 'setup --remove');
  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toMatch(/device models run, of domain 5/);
  host.processList.kill(711);
  const removed = parse((await run(host, 'setup --remove --json')).stdout);
  expect(removed).toMatchObject({
    dryRun: false,
    files: [{ path, content: null }],
    commands: ['systemctl daemon-reload'],
  });
  expect(existsSync(unitOf(host))).toBe(false);
  expect((await run(host, 'setup --remove')).stdout).toBe('everything is as it should be\n');
});

test('setup after another xenpt was installed: the unit is written anew, and models at work are named', async () => {
  const host = fakeHost({ systemd: true });
  await run(host, 'setup');
  writeFileSync(unitOf(host), readFileSync(unitOf(host), 'utf8').replace('/usr/lib/', '/opt/'));
  mkdirSync(join(host.runDir, 'domain-5'), { recursive: true });
  writeFileSync(join(host.runDir, 'domain-5', 'model.pid'), '711');
  host.processList.start(711, ['node']);
  const { stdout, stderr } = await run(host, 'setup');
  expect(stdout).toBe(`${path} is written\n`);
  expect(stderr).toMatch(/device models of domain 5 stay as they were started/);
});

test('setup as nobody, and without systemd', async () => {
  expect((await run(fakeHost({ systemd: true, isRoot: false }), 'setup')).exitCode).toBe(10);
  const { exitCode, stdout, stderr } = await run(fakeHost(), 'setup');
  expect([exitCode, stdout]).toEqual([0, 'nothing is to be done\n']);
  expect(stderr).toMatch(/has no systemd/);
});
