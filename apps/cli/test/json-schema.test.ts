import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { errorSchema, schemaOf } from '../src/json-schema.js';
import { verbs } from '../src/verbs/index.js';
import { fakeQemu } from './fake-qemu.js';
import { fakeHost, parse, run } from './run.js';
import { mistakes, verbOf } from './schema-check.js';

const folder = mkdtempSync(join(tmpdir(), 'xenpt-schema-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const bitmap = join(folder, 'vm.bitmap');
writeFileSync(bitmap, new Uint8Array(3 * 128).fill(0x11));

const guestConfig = join(folder, 'web.cfg');
writeFileSync(guestConfig, 'name="web"\n');

/** In an order in which they can be done on one host; `run` checks each document. */
const lines: readonly string[] = [
  'list',
  'show 03:00.0',
  'tree',
  'doctor --all',
  'explain',
  'explain no-reset',
  'fit 03:00.0',
  'bundle -o host.tar.gz',
  'guest-view 03:00.0',
  'lint',
  'assignable add 03:00.0 -N --persist',
  'assignable add 03:00.0',
  'assignable list',
  'assignable restore',
  'undo -N',
  'undo --list',
  'attach 5 03:00.0',
  'guest-view 5 03:00.0',
  'devices 5',
  'stats 5',
  'upgrade-model 5',
  'setup',
  'detach 5 03:00.0 --without-guest',
  'assignable remove 03:00.0 -N',
  'assignable remove 03:00.0',
  'undo',
  'recover',
  `dirty-rate --file ${bitmap} --pages 1024 --link 1Gbit/s`,
  `dirty-rate --file ${bitmap} --pages 1024 --watch`,
  'qmp 5 query-status',
  'qmp codegen 5',
  `config add ${guestConfig} 03:00.0@5`,
  `config remove ${guestConfig} 03:00.0 -N`,
  'completion bash',
  'schema',
  'schema assignable add',
];

/** Those that go on until somebody ends them, and the screenshot, which QEMU makes: their own tests use `run` too. */
const elsewhere: readonly string[] = ['watch', 'qmp events', 'qmp shell', 'screenshot'];

test('every verb has a schema, and what it prints is as that says', async () => {
  const host = fakeHost();
  await fakeQemu(host);
  for (const line of lines) {
    const { exitCode, stdout } = await run(host, `${line} --json`);
    expect([line, exitCode, stdout.includes('"schemaVersion"')]).toEqual([line, 0, true]);
  }
  const covered = new Set([...lines.map((line) => verbOf(line)?.name), ...elsewhere]);
  expect(verbs.filter(({ name }) => !covered.has(name)).map(({ name }) => name)).toEqual([]);
});

test('a document that is not as the schema says is found', () => {
  const verb = verbOf('recover');
  const found = verb && mistakes(schemaOf(verb), { schemaVersion: 2, transactions: [1] });
  expect([...(found ?? [])].sort()).toEqual(
    [
      '$.schemaVersion is not 1',
      '$.transactions[0] is integer',
      '$.dirtyLogs is missing',
      '$.devices is missing',
      '$.restarts is missing',
    ].sort(),
  );
});

test('errors too, of usage and of operations', async () => {
  const host = () => fakeHost({ functions: [{ sbdf: '0000:03:00.0', driver: 'igb', resettable: false }] });
  const failing = [
    'undo',
    'undo x y',
    'assignable add 3:0',
    'assignable add 03:00.0',
    'lint /nowhere',
    'attach 5 03:00.0',
  ];
  for (const line of failing) {
    const { stdout, exitCode } = await run(host(), `${line} --json`);
    expect([line, exitCode === 0, mistakes(errorSchema, parse(stdout))]).toEqual([line, false, []]);
  }
});

test('they are printed', async () => {
  const add = verbOf('assignable add');
  expect(JSON.parse((await run(fakeHost(), 'schema')).stdout)).toEqual(errorSchema);
  expect(JSON.parse((await run(fakeHost(), 'schema assignable add')).stdout)).toEqual(add && schemaOf(add));
  expect(await run(fakeHost(), 'schema nothing')).toMatchObject({ exitCode: 2, stdout: '' });
});
