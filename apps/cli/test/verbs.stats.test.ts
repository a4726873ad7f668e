import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { fakeHost, parse, run } from './run.js';

async function servedHost() {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  await run(host, 'attach 5 03:00.0');
  host.models.status = {
    process: { pid: 711, version: '0.1.0', startedAtMs: 1_795_000_000_000 },
    requests: { config: 1234, copy: 66, port: 0 },
    deniedWrites: 7,
    effects: { mapBar: 3, unmapBar: 0 },
    failedEffects: { mapBar: 1, unmapBar: 0 },
    interrupts: { intx: 1, msi: 0, 'msi-x': 5 },
    latency: {
      count: 1300,
      sumNs: 13_000_000,
      longestNs: 2_500_000,
      buckets: [
        { upToNs: 8000, count: 1000 },
        { upToNs: 16_000, count: 299 },
      ],
    },
    waiting: null,
    late: 0,
  };
  return host;
}

test('stats: what was done, and how fast', async () => {
  const { exitCode, stdout, stderr } = await run(await servedHost(), 'stats guest5');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^guest5 {2}domain 5$/m);
  expect(stdout).toMatch(/^ {2}devices +0000:03:00\.0$/m);
  expect(stdout).toMatch(/^ {2}process +711, xenpt 0\.1\.0$/m);
  expect(stdout).toMatch(/^ {2}since +2026-11-18T/m);
  expect(stdout).toMatch(/mean 10 µs, 50 % within 8\.0 µs, 99 % within 16 µs, longest 2\.50 ms$/m);
  expect(stdout).toMatch(/^REQUESTS +COUNT\nconfig +1,234\ncopy +66\n/m);
  expect(stdout).toMatch(/^INTERRUPTS BOUND +COUNT\nintx +1\nmsi-x +5\n/m);
  expect(stdout).toMatch(/^EFFECTS +DONE +REFUSED\nmapBar +3 +1$/m);
});

test('stats: what the guest waits for, once it is long', async () => {
  const host = await servedHost();
  const what = 'a write of 2 bytes at register 0x4 of 00:05.0 by vCPU 0';
  host.models.status = { ...host.models.status, waiting: { what, ageMs: 400, waitsFor: 'Xen: mapMemory' } };
  expect((await run(host, 'stats 5')).stderr).toBe('');
  host.models.status = { ...host.models.status, waiting: { what, ageMs: 4000, waitsFor: 'Xen: mapMemory' } };
  expect((await run(host, 'stats 5')).stderr).toMatch(
    /The guest waits: a write .* for 4\.00 s; it waits for Xen: mapM/,
  );
  host.models.status = { ...host.models.status, waiting: { what, ageMs: 4000, waitsFor: null } };
  expect((await run(host, 'stats 5')).stderr).toMatch(/waits for the device or the model’s own code/);
});

test('stats --json: every count, exact; and of a model that an earlier version started what it tells', async () => {
  const host = await servedHost();
  expect(parse((await run(host, 'stats 5 --json')).stdout)).toEqual({
    schemaVersion: 1,
    domid: 5,
    domainName: 'guest5',
    devices: ['0000:03:00.0'],
    ...host.models.status,
  });
  host.models.status = { requests: { config: 1 }, deniedWrites: 0, effects: {} };
  expect(parse((await run(host, 'stats 5 --json')).stdout)).toMatchObject({
    process: null,
    latency: null,
    late: null,
    requests: { config: 1 },
  });
  expect((await run(host, 'stats 5')).exitCode).toBe(0);
  expect((await run(host, 'stats 5 --openmetrics')).stdout).toMatch(/kind="config"/);
});

test('stats --openmetrics: one exposition, its histogram cumulative and in seconds', async () => {
  const { exitCode, stdout } = await run(await servedHost(), 'stats 5 --openmetrics');
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.at(-1)).toBe('# EOF');
  const labels = 'domid="5",domain="guest5"';
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE xenpt_model_requests counter',
      `xenpt_model_requests_total{${labels},kind="config"} 1234`,
      `xenpt_model_interrupts_bound_total{${labels},kind="msi-x"} 5`,
      `xenpt_model_denied_writes_total{${labels}} 7`,
      '# TYPE xenpt_model_answer_seconds histogram',
      `xenpt_model_answer_seconds_bucket{${labels},le="0.000008"} 1000`,
      `xenpt_model_answer_seconds_bucket{${labels},le="0.000016"} 1299`,
      `xenpt_model_answer_seconds_bucket{${labels},le="+Inf"} 1300`,
      `xenpt_model_answer_seconds_sum{${labels}} 0.013`,
      `xenpt_model_answer_seconds_count{${labels}} 1300`,
      `xenpt_model_info{${labels},version="0.1.0",pid="711"} 1`,
    ]) as string[],
  );
  for (const line of lines)
    expect(line).toMatch(/^# (HELP|TYPE|UNIT) xenpt_|^# EOF$|^xenpt_[a-z_]+\{[^}]*\} [0-9.e+-]+$/);
  // Every family once, its samples behind its type.
  const families = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  expect(new Set(families).size).toBe(families.length);
});

test('stats: without a model, of nobody, in two forms at once', async () => {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  const nothing = await run(host, 'stats 5');
  expect(nothing.exitCode).toBe(3);
  expect(nothing.stderr).toMatch(/has attached nothing to it/);
  expect((await run(host, 'stats 9')).exitCode).toBe(3);
  await run(host, 'attach 5 03:00.0');
  host.models.kill(5);
  expect((await run(host, 'stats 5')).stderr).toMatch(/is not running/);
  expect((await run(host, 'stats 5 --json --openmetrics')).exitCode).toBe(2);
});

test('a device model that is stopped is told by list and devices', async () => {
  const host = await servedHost();
  const folder = join(host.runDir, 'domain-5');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.pid'), '711');
  host.processList.start(711, ['node']);
  for (const line of ['list', 'devices 5']) expect((await run(host, line)).stderr).not.toMatch(/device model/);
  host.processList.stop(711);
  const note =
    /The device model of domain 5 does not serve it: its process 711 is stopped \(T\)\. Let it go on: kill -CONT 711/;
  for (const line of ['list', 'devices 5']) expect((await run(host, line)).stderr).toMatch(note);
});

test('upgrade-model: who went on for whom, and the pause', async () => {
  const host = await servedHost();
  host.models.nextStatus = { process: { pid: 812, version: '0.2.0', startedAtMs: 1_795_000_100_000 } };
  const { exitCode, stdout } = await run(host, 'upgrade-model guest5');
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    'domain 5 (guest5) is served by process 812, xenpt 0.2.0, before by process 711, xenpt 0.1.0; ' +
      'for 87.0 ms by nobody\n',
  );
  host.models.kill(5);
  expect(await run(host, 'upgrade-model 5')).toMatchObject({ exitCode: 1 });
});
