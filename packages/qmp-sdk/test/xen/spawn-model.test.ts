import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { realClock } from '../../src/xen/open-host.js';
import { spawnModel } from '../../src/xen/spawn-model.js';
import { temporaryFolder } from './folders.js';
import { failure } from './hosts.js';

function optionsFor(fixture: string) {
  const folder = temporaryFolder();
  return {
    domid: 5,
    handle: 'uuid',
    runDir: join(folder, 'run'),
    logDir: join(folder, 'log'),
    sysroot: '',
    nodePath: execPath,
    mainPath: fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url)),
    clock: realClock,
  };
}

test('waits until the process answers, and ends it', async () => {
  const options = optionsFor('model-ready.mjs');
  const model = await spawnModel(options);
  expect(await model.status()).toEqual({ handle: 'uuid' });
  expect(statSync(join(options.logDir, 'domain-5.log')).mode & 0o777).toBe(0o600);
  await model.shutdown();
});

test('starts a process that is to stay small', async () => {
  const options = optionsFor('model-ready.mjs');
  const model = await spawnModel(options);
  await model.shutdown();
  const [line = ''] = readFileSync(join(options.logDir, 'domain-5.log'), 'utf8').split('\n');
  expect(JSON.parse(line)).toEqual({ nodeOptions: ['--max-semi-space-size=1'], arenas: '1' });
});

test('a process that dies is reported with the end of its log', async () => {
  const error = await failure(spawnModel(optionsFor('model-dies.mjs')));
  expect(error.code).toBe('XENPT_MODEL_FAILED');
  expect(error.message).toMatch(/ended while it started; the end of its log:\nlibxenctrl\.so\.4\.20 is not there/);
  expect(error.next).toMatch(/domain-5\.log/);
});
