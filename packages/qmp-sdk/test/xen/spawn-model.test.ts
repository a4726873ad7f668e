import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, execPath, kill } from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { realClock } from '../../src/xen/open-host.js';
import { createProcessList } from '../../src/xen/real-processes.js';
import { connectToModel, spawnModel } from '../../src/xen/spawn-model.js';
import { endProcesses, processesOf, processFolder, temporaryFolder } from './folders.js';
import { failure } from './hosts.js';

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await realClock.sleep(5);
}

function optionsFor(fixture: string) {
  const folder = processFolder();
  return {
    domid: 5,
    handle: 'uuid',
    runDir: join(folder, 'run'),
    logDir: join(folder, 'log'),
    sysroot: '',
    nodePath: execPath,
    mainPath: fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url)),
    clock: realClock,
    processList: createProcessList(),
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
  expect(JSON.parse(line)).toEqual({ nodeOptions: [], arenas: '1' });
});

test('one that is killed is started again when it has left its state', async () => {
  const options = optionsFor('model-killed.mjs');
  const model = await spawnModel(options);
  expect(await model.status()).toEqual({ handle: 'uuid' });
  expect(readFileSync(join(options.logDir, 'domain-5.log'), 'utf8')).toMatch(/has died; it is started again \(1\)/);
  await model.shutdown();
});

test('a command that comes meanwhile waits for it; without a state nobody is waited for', async () => {
  const options = optionsFor('model-killed.mjs');
  expect(await connectToModel(options)).toBeNull();
  const spawned = spawnModel(options);
  await until(() => existsSync(join(options.runDir, 'domain-5', 'state-uuid.a')));
  const model = await connectToModel(options);
  expect(await model?.status()).toEqual({ handle: 'uuid' });
  model?.close();
  await (await spawned).shutdown();
});

test('one that is stopped is told by whoever asks it, and answers when it goes on', async () => {
  const options = optionsFor('model-ready.mjs');
  const model = await spawnModel(options);
  const pid = Number(readFileSync(join(options.runDir, 'domain-5', 'model.pid'), 'utf8'));
  kill(pid, 'SIGSTOP');
  try {
    const connections = sockets();
    const [asked, connected] = await Promise.all([failure(model.status()), failure(connectToModel(options))]);
    // Nothing keeps the program that was refused from ending.
    while (sockets() > connections) await realClock.sleep(10);
    for (const error of [asked, connected]) {
      expect(error).toMatchObject({
        code: 'XENPT_MODEL_STOPPED',
        message: `the device model does not answer; its process ${pid} is stopped (T)`,
      });
      expect(error.next).toMatch(`kill -CONT ${pid}`);
    }
  } finally {
    kill(pid, 'SIGCONT');
  }
  expect(await model.status()).toEqual({ handle: 'uuid' });
  await model.shutdown();
});

test('one that dies before it serves is started later and later, and no more after the 8th time', async () => {
  const options = optionsFor('model-fails.mjs');
  const folder = temporaryFolder();
  const program = join(folder, 'sleep');
  // Whoever looks whether the process is stopped, every 5 s, looks no more.
  writeFileSync(program, `#!/bin/sh\n[ "$1" = 5 ] && exit 1\necho "$@" >>${folder}/pauses\n`, { mode: 0o755 });
  const { PATH } = env;
  env['PATH'] = `${folder}:${PATH}`;
  try {
    const error = await failure(spawnModel(options));
    expect(error).toMatchObject({ code: 'XENPT_MODEL_FAILED' });
    expect(error.message).toMatch(/the state cannot be read/);
    expect(error.message).toMatch(/not started again: it died 8 times in a row before it served, and 8 times in all/);
  } finally {
    env['PATH'] = PATH;
  }
  const pauses = readFileSync(join(folder, 'pauses'), 'utf8').trim().split('\n');
  expect(pauses).toEqual([1.1, 4.1, 9.1, 16.1, 25.1, 36.1, 49.1].map(String));
}, 30_000);

test('a test that fails here leaves no process behind, nor the shell that would start it again', async () => {
  const options = optionsFor('model-killed.mjs');
  (await spawnModel(options)).close();
  const folder = options.runDir;
  expect(processesOf(folder).length).toBeGreaterThan(1);
  endProcesses(folder);
  await realClock.sleep(300);
  expect(processesOf(folder)).toEqual([]);
});

test('a process that dies is reported with the end of its log', async () => {
  const error = await failure(spawnModel(optionsFor('model-dies.mjs')));
  expect(error.code).toBe('XENPT_MODEL_FAILED');
  expect(error.message).toMatch(/ended while it started; the end of its log:\nlibxenctrl\.so\.4\.20 is not there/);
  expect(error.next).toMatch(/domain-5\.log/);
});
