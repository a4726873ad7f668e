import { build } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { FakeQmp } from '../src/testing/index.js';
import { compileWith } from './types/compile.js';

// What the README shows is right: it compiles as a user's program would, and the QMP examples run.

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/^```ts\n([^]*?)^```/gm)].map((match) => match[1] ?? '');

const folder = mkdtempSync(join(tmpdir(), 'qmp-readme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every example compiles', () => {
  const modules = Object.fromEntries(examples.map((text, index) => [`example${index}.mts`, text]));
  const options = { lib: ['lib.es2023.d.ts'], types: ['node'], customConditions: ['@xenpt/source'] };
  expect(Object.keys(modules).length).toBeGreaterThanOrEqual(4);
  // The sources that they import are checked where they belong to.
  expect(compileWith(modules, options, 'modules').diagnostics).toEqual([]);
});

describe('each example of the client runs', () => {
  const runnable = examples.filter((text) => !text.includes("'@xenpt/qmp-sdk/xen'"));

  test.each(runnable.map((text) => [text.split('\n')[0] ?? '', text]))('%s', async (_, text) => {
    const unix = join(folder, 'vm.qmp');
    // One that reads events does so until the connection ends.
    await using fake = virtualMachine({ endsAfterUnplug: text.includes('client.events') });
    await fake.listen({ unix });
    const outfile = join(folder, `${examples.indexOf(text)}.mjs`);
    await build({
      stdin: { contents: text.replaceAll('/run/vm.qmp', unix), resolveDir: packageFolder, loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: ['@xenpt/source'],
      logLevel: 'silent',
    });
    const ending: Promise<unknown> = import(pathToFileURL(outfile).href);
    // What it throws is of the bundle's own copy of the client.
    const error = await ending.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== undefined) expect(error).toMatchObject({ code: 'QMP_CLOSED', reason: 'eof' });
    if (text.includes('/run/vm.qmp')) expect(fake.sessions).toHaveLength(1);
  });
});

/** A fake that does what the examples ask for. */
function virtualMachine({ endsAfterUnplug }: { readonly endsAfterUnplug: boolean }): FakeQmp {
  const fake = new FakeQmp();
  for (const name of [
    'netdev_add',
    'device_add',
    'netdev_del',
    'job-dismiss',
    'migrate-set-capabilities',
    'migrate',
  ]) {
    fake.on(name, () => undefined);
  }
  const jobs: string[] = [];
  return fake
    .on('device_del', ({ id }) => {
      fake.emit('DEVICE_DELETED', { device: id, path: `/machine/peripheral/${id as string}` });
      if (endsAfterUnplug) setTimeout(() => fake.sessions.at(-1)?.end(), 50);
    })
    .on('blockdev-backup', ({ 'job-id': id }) => {
      jobs.push(id as string);
      fake.emit('JOB_STATUS_CHANGE', { id, status: 'concluded' });
    })
    .on('query-jobs', () =>
      jobs.map((id) => ({ id, type: 'backup', status: 'concluded', 'current-progress': 1, 'total-progress': 1 })),
    )
    .on('query-migrate-capabilities', () => [{ capability: 'events', state: false }])
    .on('query-migrate', () => ({ status: 'completed' }));
}
