import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { modelUnitText } from '../../src/xen/model-unit.js';
import { realClock } from '../../src/xen/open-host.js';
import { createProcessList } from '../../src/xen/real-processes.js';
import { replaceModel } from '../../src/xen/replace-model.js';
import { ModelService } from '../../src/xen/service-model.js';
import { realServices } from '../../src/xen/services.js';
import { spawnModel } from '../../src/xen/spawn-model.js';
import { processFolder, temporaryFolder } from './folders.js';
import { failure } from './hosts.js';

/** A systemctl that starts what the unit says for the instance, and once more when it is killed. */
function fakeSystemctl(folder: string, unitPath: string): string {
  const path = join(folder, 'systemctl');
  writeFileSync(
    path,
    `#!/bin/sh
echo "$@" >>${folder}/calls
case $1 in
  start)
    instance=\${2##*@}; instance=\${instance%.service}
    line=$(sed -n "s/^ExecStart=//p" ${unitPath} | sed "s/%i/$instance/g")
    export $(sed -n "s/^Environment=//p" ${unitPath})
    log=$(sed -n "s/^StandardError=append://p" ${unitPath} | sed "s/%i/$instance/g")
    (
      until $line; do
        code=$?; [ $code -eq 2 ] && { touch ${folder}/failed; exit; }
      done
    ) </dev/null >/dev/null 2>>"$log" &
    ;;
  show)
    case $2 in *MainPID)
      grep -q ^start ${folder}/calls && cat ${folder}/run/domain-5/model.pid || echo 0; exit 0 ;;
    esac
    [ -e ${folder}/failed ] && echo failed || echo active ;;
  kill) kill -KILL "$(cat ${folder}/run/domain-5/model.pid)" ;;
  reset-failed) echo "Unit $2 not loaded." >&2; exit 1 ;;
  *) echo "Unknown command verb $1." >&2; exit 1 ;;
esac
`,
    { mode: 0o755 },
  );
  return path;
}

function optionsFor(fixture: string) {
  const folder = processFolder();
  const unitPath = join(folder, 'xenpt-device-model@.service');
  const mainPath = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url));
  const program = { nodePath: execPath, mainPath, runDir: join(folder, 'run'), logDir: join(folder, 'log') };
  writeFileSync(unitPath, modelUnitText(program));
  fakeSystemctl(folder, unitPath);
  const service = new ModelService(realServices, unitPath);
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  const common = { domid: 5, handle: 'uuid', sysroot: '', clock: realClock, processList: createProcessList() };
  return { folder, unitPath, calls, options: { ...common, ...program, service } };
}

/** As `StateFile` of the device model does. */
function writeState(path: string, formatVersion: number): void {
  const state = { serverId: 1, functions: [], ejects: { isClaimed: false, slots: 0 }, intent: null };
  const body = serialize({ formatVersion, state });
  const [number, length] = [Buffer.alloc(8, 0), Buffer.alloc(8, 0)];
  number.writeUInt8(1);
  length.writeUInt32LE(body.length);
  writeFileSync(`${path}.a`, Buffer.concat([number, length, body, number]));
}

async function withPath<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const { PATH } = env;
  env['PATH'] = `${folder}:${PATH}`;
  try {
    return await work();
  } finally {
    env['PATH'] = PATH;
  }
}

test('an attach starts the unit of the domain, which runs the small process and restarts it when it is killed', () => {
  const { folder, calls, options } = optionsFor('model-ready.mjs');
  return withPath(folder, async () => {
    expect(options.service.isInstalled).toBe(true);
    const model = await spawnModel(options);
    expect(await model.status()).toEqual({ handle: 'uuid' });
    expect(calls().slice(0, 2)).toEqual([
      'reset-failed xenpt-device-model@5.service',
      'start xenpt-device-model@5.service',
    ]);
    const [line = ''] = readFileSync(join(options.logDir, 'domain-5.log'), 'utf8').split('\n');
    expect(JSON.parse(line)).toEqual({ nodeOptions: [], arenas: '1' });
    await model.shutdown();
  });
});

test('upgrade-model: the state is read first; systemd starts the process that goes on', () => {
  const { folder, calls, options, unitPath } = optionsFor('model-ready.mjs');
  return withPath(folder, async () => {
    const model = await spawnModel(options);
    expect(await failure(replaceModel(options))).toMatchObject({
      code: 'XENPT_UPGRADE_REFUSED',
      message: expect.stringMatching(/cannot be read: there is none/) as string,
    });
    const state = join(options.runDir, 'domain-5', 'state-uuid');
    writeState(state, 3);
    expect((await failure(replaceModel(options))).message).toMatch(/it has format 3, and this version reads 2/);
    writeState(state, 2);
    const before = Number(readFileSync(join(options.runDir, 'domain-5', 'model.pid'), 'utf8'));
    const text = readFileSync(unitPath, 'utf8');
    writeFileSync(unitPath, text.replace('RestartSec=100ms', 'RestartSec=1s'));
    expect(await failure(replaceModel(options))).toMatchObject({ code: 'XENPT_UPGRADE_REFUSED' });
    writeFileSync(unitPath, text);
    const replaced = await replaceModel(options);
    expect(calls().at(-1)).toBe('kill --signal=KILL xenpt-device-model@5.service');
    expect(createProcessList().state(before)).toBeNull();
    model.close();
    await replaced.model.shutdown();
  });
});

test('upgrade-model of one that was started before there was a unit: as without systemd', () => {
  const { folder, calls, options } = optionsFor('model-standby.mjs');
  return withPath(folder, async () => {
    (await spawnModel({ ...options, service: undefined })).close();
    const holder = () => Number(readFileSync(join(options.runDir, 'domain-5', 'model.pid'), 'utf8'));
    const before = holder();
    const { model } = await replaceModel(options);
    expect(holder()).not.toBe(before);
    expect(calls()).toEqual(['show --property=MainPID --value xenpt-device-model@5.service']);
    await model.shutdown();
  });
});

test('a unit: signals that systemd takes for a clean end are none while the guest is there', () => {
  const program = { nodePath: '/usr/bin/node', mainPath: '/m.js', runDir: '/run/xenpt', logDir: '/var/log/xenpt' };
  const text = modelUnitText(program);
  expect(text).toMatch(/^RestartForceExitStatus=SIGTERM SIGINT SIGHUP SIGPIPE$/m);
  // With the guest's own end, 0, it is not started again.
  expect(text).toMatch(/^Restart=on-failure$/m);
  // So many kills of one that serves are not the end of it.
  expect(Number(/^StartLimitBurst=(\d+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(60);
});

test('one that ends at once is told, with where to look', () => {
  const { folder, options } = optionsFor('model-gives-up.mjs');
  return withPath(folder, async () => {
    expect(await failure(spawnModel(options))).toMatchObject({
      code: 'XENPT_MODEL_FAILED',
      message: expect.stringMatching(/was not started by xenpt-device-model@5\.service: it is failed/) as string,
      next: expect.stringMatching(/systemctl status xenpt-device-model@5\.service/) as string,
    });
  });
});

test('what systemctl complains of is the error', () => {
  const { folder } = optionsFor('model-ready.mjs');
  return withPath(folder, async () => {
    expect(await failure(realServices.systemctl('dance'))).toMatchObject({
      code: 'XENPT_STEP_FAILED',
      message: 'systemctl dance: Unknown command verb dance.',
    });
  });
});

test('systemd accepts the unit, also with blanks and signs in its paths', () => {
  const folder = temporaryFolder();
  const [nodePath, mainPath] = [join(folder, 'my node'), join(folder, '50% main.js')];
  writeFileSync(nodePath, '#!/bin/sh\n', { mode: 0o755 });
  const text = modelUnitText({ nodePath, mainPath, runDir: '/run/xenpt', logDir: '/var/log/xenpt' });
  expect(text).toContain(`ExecStart="${nodePath}" "${mainPath.replace('%', '%%')}" /run/xenpt/`);
  expect(text).toMatch(/^Environment=MALLOC_ARENA_MAX=1$/m);
  if (!existsSync('/usr/bin/systemd-analyze')) return;
  mkdirSync(join(folder, 'units'));
  const unit = join(folder, 'units', 'xenpt-device-model@5.service');
  writeFileSync(unit, text);
  const complaints = execFileSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  expect(complaints).toBe('');
});
