import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, kill } from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { realClock } from '../../src/xen/open-host.js';
import { createProcessList } from '../../src/xen/real-processes.js';
import { replaceModel } from '../../src/xen/replace-model.js';
import { connectToModel, spawnModel } from '../../src/xen/spawn-model.js';
import { processFolder } from './folders.js';
import { failure } from './hosts.js';

function optionsFor(domid: number) {
  const folder = processFolder();
  return {
    domid,
    handle: 'uuid',
    runDir: join(folder, 'run'),
    logDir: join(folder, 'log'),
    sysroot: '',
    nodePath: execPath,
    mainPath: fileURLToPath(new URL('../fixtures/model-standby.mjs', import.meta.url)),
    clock: realClock,
    processList: createProcessList(),
  };
}

const holder = ({ runDir, domid }: { runDir: string; domid: number }) =>
  Number(readFileSync(join(runDir, `domain-${domid}`, 'model.pid'), 'utf8'));

test('another process goes on with a shell of its own; the old one and its shell are gone', async () => {
  const options = optionsFor(5);
  (await spawnModel(options)).close();
  const old = holder(options);
  const group = options.processList.group(old) ?? 0;
  const { model, pauseMs } = await replaceModel(options);
  const now = holder(options);
  expect(now).not.toBe(old);
  expect(pauseMs).toBeGreaterThan(0);
  expect([options.processList.state(old), options.processList.state(group)]).toEqual([null, null]);
  expect(options.processList.group(now)).not.toBe(group);
  // It is restarted as any other, and does not stand by then.
  kill(now, 'SIGKILL');
  const restarted = await connectToModel(options);
  expect(holder(options)).not.toBe(now);
  expect(existsSync(join(options.runDir, 'domain-5', 'standby.pid'))).toBe(false);
  model.close();
  await restarted?.shutdown();
});

test('one that cannot go on is refused with its reason, and the old one is not touched', async () => {
  const options = optionsFor(6);
  const model = await spawnModel(options);
  const old = holder(options);
  expect(await failure(replaceModel(options))).toMatchObject({
    code: 'XENPT_UPGRADE_REFUSED',
    message: expect.stringMatching(
      /the model at work goes on: .*it has format 2, and this version reads 1/s,
    ) as string,
    outcome: 'untouched',
  });
  expect(holder(options)).toBe(old);
  expect(await model.status()).toEqual({ handle: 'uuid' });
  await model.shutdown();
});

test('without one at work there is nothing to go on for', async () => {
  const options = optionsFor(5);
  expect(await failure(replaceModel(options))).toMatchObject({ code: 'XENPT_MODEL_NOT_RUNNING' });
  expect(existsSync(options.logDir)).toBe(false);
  (await spawnModel(options)).close();
  writeFileSync(join(options.runDir, 'domain-5', 'standby.pid'), '');
  await (await replaceModel(options)).model.shutdown();
});
