import { readFileSync } from 'node:fs';
import module from 'node:module';
import process, { argv, exit, stderr, stdout } from 'node:process';
import { checkModelState, DeviceModel } from '@xenpt/device-model/client';
import { dropProgramPages } from '@xenpt/xen-bindings';
import { serveDomain } from './model-process.js';
import { openStore, openToolstack, realClock, realLibxlConfig, realProcesses } from './open-host.js';
import { createSysfs } from './real-sysfs.js';
import { RestartPolicy } from './restart-policy.js';
import { hasLeftState, runFile } from './run-dir.js';
import { type ModelArguments, NOTHING_TO_GO_ON_WITH, STANDBY } from './spawn-model.js';

const isStandby = argv[3] === STANDBY;
let isAtWork = false;

/** An attach that waits for this process is over by then, and a guest whose model was killed is served. */
const SETTLE_AFTER_MS = 10_000;

/** The program of a device model process: started by `openXenHost().startModel()`, never by a person. */
async function main({ domid, handle, runDir, sysroot }: ModelArguments): Promise<void> {
  if (isStandby) checkModelState(runFile.modelState(runDir, domid, handle));
  const log = (line: string) => void stderr.write(`${new Date().toISOString()} ${line}\n`);
  const toolstack = openToolstack();
  const store = openStore();
  const restartPolicy = new RestartPolicy(realLibxlConfig.file(domid, handle));
  const end = await serveDomain({
    domid,
    handle,
    runDir,
    toolstack,
    store,
    sysfs: createSysfs(sysroot),
    clock: realClock,
    processes: realProcesses,
    standby: isStandby,
    version: ownVersion(),
    startedAtMs: Math.round(performance.timeOrigin),
    startModel: async (options) => {
      isAtWork = true;
      const model = await DeviceModel.start({ ...options, onLog: log });
      process.once('exit', () => void model.terminate());
      setTimeout(settleDown, SETTLE_AFTER_MS).unref();
      return model;
    },
    giveAgain: async (handle, options) => {
      // Everything an attach needs is loaded when it is needed: this process lives as long as its guest.
      // eslint-disable-next-line @nx/enforce-module-boundaries -- by its name it stays outside of this program
      const sdk = await import('@xenpt/qmp-sdk/xen');
      const host = sdk.openXenHost({ runDir });
      try {
        return await sdk.giveAgain(host, handle, options);
      } finally {
        host.close();
      }
    },
    isRestarted: (code) => restartPolicy.restartsAfter(code),
    onServing: () => void stdout.write('serving\n'),
    log,
  });
  store.close();
  toolstack.close();
  exit(end === 'model-failed' ? exitCode({ domid, handle, runDir }) : 0);
}

/** Everything is loaded by now, in both threads. From Node 22 on compiled code is kept for the next process. */
function settleDown(): void {
  (module as { flushCompileCache?: () => void }).flushCompileCache?.();
  dropProgramPages();
}

/** Read before the package can be replaced by another one. */
function ownVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

// A lost xenstored ends the watches, not the service of the guest: its domain is polled as well.
process.on('uncaughtException', (error: Error & { call?: string }) => {
  stderr.write(`${error.stack ?? error.message}\n`);
  if (error.call !== 'xs_check_watch') exit(1);
});

/** Whether to start it again makes sense. */
function exitCode({ runDir, domid, handle }: Pick<ModelArguments, 'runDir' | 'domid' | 'handle'>): number {
  return hasLeftState(runDir, domid, handle) ? 1 : NOTHING_TO_GO_ON_WITH;
}

/** systemd has the file named to it. */
function readArguments(given = '{}'): ModelArguments {
  return JSON.parse(given.startsWith('/') ? readFileSync(given, 'utf8') : given) as ModelArguments;
}

const told = readArguments(argv[2]);
main(told).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  // Whoever stood by in vain has changed nothing: the model at work goes on.
  exit(isStandby && !isAtWork ? NOTHING_TO_GO_ON_WITH : exitCode(told));
});
