import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeAtomically } from './atomic-file.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { ProcessList, ProcessTable } from './host.js';
import { makeDirtyLogDir, runFile } from './run-dir.js';

const SCHEMA_VERSION = 1;

/**
 * That this process has switched a domain's dirty logging on: written before, removed after it is off again, so that it
 * outlives a process that was killed.
 */
export interface DirtyLogRecord {
  readonly domid: number;
  /** UUID of the domain: the same domid with another handle is another domain, and is never touched. */
  readonly handle: string;
  readonly owner: {
    readonly pid: number;
    /** See {@link ProcessList.startedAt}. */
    readonly startedAt: string;
  };
}

/** Us, as the owner of a record. */
export function ownerOf(host: {
  readonly processes: ProcessTable;
  readonly processList: ProcessList;
}): DirtyLogRecord['owner'] {
  const { pid } = host.processes;
  return { pid, startedAt: host.processList.startedAt(pid) ?? '' };
}

export function isOwnerAlive(processList: ProcessList, { pid, startedAt }: DirtyLogRecord['owner']): boolean {
  return processList.startedAt(pid) === startedAt;
}

/** On disk before it returns. */
export function writeDirtyLogRecord(runDir: string, record: DirtyLogRecord): void {
  makeDirtyLogDir(runDir);
  const text = JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...record });
  writeAtomically(runFile.dirtyLog(runDir, record.domid), `${text}\n`);
}

export function removeDirtyLogRecord(runDir: string, domid: number): void {
  rmSync(runFile.dirtyLog(runDir, domid), { force: true });
}

/** Ids of the domains that have a record, in order. */
export function listDirtyLogRecords(runDir: string): number[] {
  let names: string[];
  try {
    names = readdirSync(runFile.dirtyLogs(runDir));
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return [];
    throw error;
  }
  return names
    .flatMap((name) => /^domain-([0-9]{1,5})\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((left, right) => left - right);
}

/**
 * The record of a domain id; undefined if there is none.
 *
 * @throws XenOperationError XENPT_STEP_FAILED if the file is damaged: nobody can tell whose logging it was.
 */
export function readDirtyLogRecord(runDir: string, domid: number): DirtyLogRecord | undefined {
  const path = runFile.dirtyLog(runDir, domid);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseRecord(JSON.parse(text), domid);
  } catch (error) {
    throw new XenOperationError(XenErrorCode.stepFailed, `${path} cannot be read as a record of dirty logging`, {
      cause: error,
      next: `Remove it. If domain ${domid} is slow from then on, its logging is still on: a reboot of it ends that.`,
    });
  }
}

function parseRecord(value: unknown, domid: number): DirtyLogRecord {
  const file = asObject(value);
  if (file['schemaVersion'] !== SCHEMA_VERSION) throw new TypeError('schemaVersion is not 1');
  if (file['domid'] !== domid) throw new RangeError(`domid is not ${domid}`);
  const owner = asObject(file['owner']);
  const { pid } = owner;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) throw new RangeError('pid is not a process id');
  return { domid, handle: asText(file['handle']), owner: { pid, startedAt: asText(owner['startedAt']) } };
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('an object is missing');
  return value as Record<string, unknown>;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text is missing');
  return value;
}
