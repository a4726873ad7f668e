import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeAtomically } from './atomic-file.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import { type GrantRecord, readGrants } from './grants.js';
import { checkPrivate, runFile } from './run-dir.js';

const SCHEMA_VERSION = 1;

/** What a guest had, as it is to get it again. */
export type RestartDevice = Pick<GrantRecord, 'sbdf' | 'guestDevfn' | 'options' | 'overrides'>;

export interface RestartFailure {
  readonly sbdf: string;
  readonly sentence: string;
  readonly next: string;
}

/**
 * A guest that shut down to be started again, on disk until it has its devices back. One file per UUID, which libxl and
 * libvirt keep over a restart, unlike the domid.
 */
export interface RestartRecord {
  readonly handle: string;
  readonly name: string;
  /** Of the domain that ended. */
  readonly domid: number;
  /** What it does not have again yet. */
  readonly devices: readonly RestartDevice[];
  /** The new domain. Killed while it was `pausing`, nobody knows whether it is paused by us. */
  readonly held?: { readonly domid: number; readonly state: 'pausing' | 'paused' };
  /** Empty while it is awaited. */
  readonly failures: readonly RestartFailure[];
}

/**
 * Notes what the domain has, so that it can be given to the one that comes after it.
 *
 * @returns undefined if it has nothing
 */
export function recordRestart(
  runDir: string,
  { domid, handle, name }: Pick<RestartRecord, 'domid' | 'handle' | 'name'>,
): RestartRecord | undefined {
  const file = readGrants(runDir, domid);
  if (file?.handle !== handle) return undefined;
  // Those of QEMU's model are given again by the toolstack, from its own configuration.
  const attached = file.devices.filter(({ state, model }) => state === 'attached' && model !== 'qemu');
  if (attached.length === 0) return undefined;
  const folder = runFile.restarts(runDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  checkPrivate(folder);
  const devices = attached.map(({ sbdf, guestDevfn, options, overrides }): RestartDevice => {
    if (options?.rom === 'file') keepRom(runDir, { domid, handle, sbdf });
    return {
      sbdf,
      guestDevfn,
      ...(options ? { options } : {}),
      ...(overrides ? { overrides } : {}),
    };
  });
  const record = { handle, name, domid, devices, failures: [] };
  writeRestart(runDir, record);
  return record;
}

/** On disk before it returns. One with nothing left to give is removed. */
export function writeRestart(runDir: string, record: RestartRecord): void {
  if (record.devices.length === 0) return removeRestart(runDir, record.handle);
  const text = JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...record }, null, 2);
  writeAtomically(runFile.restart(runDir, record.handle), `${text}\n`);
}

/** @throws XenOperationError XENPT_STEP_FAILED if the file is damaged */
export function readRestart(runDir: string, handle: string): RestartRecord | undefined {
  const path = runFile.restart(runDir, handle);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const record = JSON.parse(text) as RestartRecord & { schemaVersion?: unknown };
    if (record.schemaVersion !== SCHEMA_VERSION || record.handle !== handle)
      throw new TypeError('not of this version');
    if (!Array.isArray(record.devices) || !Array.isArray(record.failures)) throw new TypeError('a list is missing');
    return record;
  } catch (cause) {
    throw new XenOperationError(XenErrorCode.stepFailed, `${path} cannot be read as a record of a restart`, {
      cause,
      next: 'Remove it, and attach what the guest had by hand; see `xenpt list`.',
    });
  }
}

/** UUIDs of the guests whose devices are not theirs again yet. None for who may not look. */
export function listRestarts(runDir: string): string[] {
  try {
    return readdirSync(runFile.restarts(runDir)).flatMap((name) => /^([0-9a-f-]{36})\.json$/.exec(name)?.[1] ?? []);
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errnoName(error) ?? '')) return [];
    throw error;
  }
}

export function removeRestart(runDir: string, handle: string): void {
  const folder = runFile.restarts(runDir);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${handle}-`)) rmSync(`${folder}/${name}`, { force: true });
  }
  rmSync(runFile.restart(runDir, handle), { force: true });
}

/** The guest has the device again, or is not to have it. */
export function forgetRestart(runDir: string, handle: string, sbdf: string): void {
  const record = listRestarts(runDir).includes(handle) ? readRestart(runDir, handle) : undefined;
  if (!record) return;
  const others = <T extends { readonly sbdf: string }>(list: readonly T[]) => list.filter((one) => one.sbdf !== sbdf);
  writeRestart(runDir, { ...record, devices: others(record.devices), failures: others(record.failures) });
}

function keepRom(runDir: string, { domid, handle, sbdf }: { domid: number; handle: string; sbdf: string }): void {
  try {
    renameSync(runFile.keptRom(runDir, domid, sbdf), runFile.restartRom(runDir, handle, sbdf));
  } catch (error) {
    // Moved before, by a process that was killed then.
    if (errnoName(error) !== 'ENOENT') throw error;
  }
}
