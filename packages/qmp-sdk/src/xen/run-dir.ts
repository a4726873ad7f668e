import { existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';

/** Files of one guest below the run directory. */
export function domainDir(runDir: string, domid: number): string {
  return join(runDir, `domain-${domid}`);
}

export const runFile = {
  lock: (runDir: string) => join(runDir, 'lock'),
  grants: (runDir: string, domid: number) => join(domainDir(runDir, domid), 'grants.json'),
  socket: (runDir: string, domid: number) => join(domainDir(runDir, domid), 'control.sock'),
  dirtyLogs: (runDir: string) => join(runDir, 'dirty-log'),
  dirtyLogLock: (runDir: string) => join(runDir, 'dirty-log', 'lock'),
  dirtyLog: (runDir: string, domid: number) => join(runDir, 'dirty-log', `domain-${domid}.json`),
  /** The expansion ROM of the device that is being attached; gone once the model has it. */
  rom: (runDir: string, domid: number) => join(domainDir(runDir, domid), 'rom.bin'),
  /** A ROM that the operator gave, for a restart of the guest. */
  keptRom: (runDir: string, domid: number, sbdf: string) => join(domainDir(runDir, domid), `rom-${sbdf}.bin`),
  restarts: (runDir: string) => join(runDir, 'restart'),
  restart: (runDir: string, handle: string) => join(runDir, 'restart', `${handle}.json`),
  restartLock: (runDir: string, handle: string) => join(runDir, 'restart', `${handle}.pid`),
  restartRom: (runDir: string, handle: string, sbdf: string) => join(runDir, 'restart', `${handle}-${sbdf}.bin`),
  /** Of the model of this very domain, in two files with another letter each; see `StateFile` of the device model. */
  modelState: (runDir: string, domid: number, handle: string) => join(domainDir(runDir, domid), `state-${handle}`),
  /** What a model that systemd starts is told. */
  service: (runDir: string, domid: number) => join(domainDir(runDir, domid), 'service.json'),
  /** Of a process that waits to go on in place of the one that has `modelLock`. */
  standbyLock: (runDir: string, domid: number) => join(domainDir(runDir, domid), 'standby.pid'),
  modelLock: (runDir: string, domid: number) => join(domainDir(runDir, domid), 'model.pid'),
} as const;

/**
 * Makes the folder of a guest, 0700, and refuses one that is a link or that others may enter.
 *
 * @returns whether it was made now.
 */
export function makeDomainDir(runDir: string, domid: number): boolean {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  checkPrivate(runDir);
  const path = domainDir(runDir, domid);
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoName(error) !== 'EEXIST') throw error;
    checkPrivate(path);
    return false;
  }
}

/** Whether the domain has had a model that did not end by itself, but was killed or still runs. */
export function hasLeftState(runDir: string, domid: number, handle: string): boolean {
  return existsSync(`${runFile.modelState(runDir, domid, handle)}.a`);
}

/** Makes the folder of the records of dirty logging, 0700. Not a guest's folder, which goes with its last device. */
export function makeDirtyLogDir(runDir: string): void {
  const path = runFile.dirtyLogs(runDir);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  checkPrivate(runDir);
  checkPrivate(path);
}

/** @throws XenOperationError XENPT_STEP_FAILED if `path` is not a folder that only its owner may enter. */
export function checkPrivate(path: string): void {
  const state = lstatSync(path);
  if (state.isDirectory() && (state.mode & 0o077) === 0) return;
  throw new XenOperationError(XenErrorCode.stepFailed, `${path} is not a folder that only root may enter`, {
    next: `Look who made it, then remove it or run: chmod 700 ${path}`,
  });
}

export function removeDomainDir(runDir: string, domid: number): void {
  rmSync(domainDir(runDir, domid), { recursive: true, force: true });
}
