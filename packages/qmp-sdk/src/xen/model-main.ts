import process, { argv, exit, stderr, stdout } from 'node:process';
import { DeviceModel } from '@xenpt/device-model/client';
import { dropProgramPages } from '@xenpt/xen-bindings';
import { serveDomain } from './model-process.js';
import { openStore, openToolstack, realClock, realProcesses } from './open-host.js';
import { createSysfs } from './real-sysfs.js';
import type { ModelArguments } from './spawn-model.js';

/** The program of a device model process: started by `openXenHost().startModel()`, never by a person. */
async function main(): Promise<void> {
  const { domid, handle, runDir, sysroot } = JSON.parse(argv[2] ?? '{}') as ModelArguments;
  const log = (line: string) => void stderr.write(`${new Date().toISOString()} ${line}\n`);
  const toolstack = openToolstack();
  const store = openStore();
  const end = await serveDomain({
    domid,
    handle,
    runDir,
    toolstack,
    store,
    sysfs: createSysfs(sysroot),
    clock: realClock,
    processes: realProcesses,
    startModel: async (options) => {
      const model = await DeviceModel.start({ ...options, onLog: log });
      // Everything is loaded by now, in both threads.
      dropProgramPages();
      return model;
    },
    onServing: () => void stdout.write('serving\n'),
    log,
  });
  store.close();
  toolstack.close();
  exit(end === 'model-failed' ? 1 : 0);
}

// A lost xenstored ends the watches, not the service of the guest: its domain is polled as well.
process.on('uncaughtException', (error: Error & { call?: string }) => {
  stderr.write(`${error.stack ?? error.message}\n`);
  if (error.call !== 'xs_check_watch') exit(1);
});

main().catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  exit(1);
});
