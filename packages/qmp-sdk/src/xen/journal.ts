import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, writeAtomically } from './atomic-file.js';
import { describeError, errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { ProcessList, ProcessTable } from './host.js';
import { parseJournalRecord } from './journal-format.js';
import { checkPrivate } from './run-dir.js';

/** What a device was before it was touched. Paths are of drivers (`/sys/bus/pci/drivers/e1000e`). */
export interface DeviceBefore {
  /** The driver it was bound to; null if none. */
  readonly driver: string | null;
  /** `driver_override`; null if it was not set. */
  readonly driverOverride: string | null;
  /** Whether pciback expected it. */
  readonly hasSlot: boolean;
  /** What libxl keeps in xenstore: where it goes back to, and its name. */
  readonly recordedDriver: string | null;
  readonly recordedName: string | null;
  /** Configuration space in hexadecimal: 64, 256 or 4096 bytes. */
  readonly config: string;
}

/** What answers at an address; another card there is never touched in the name of this one. */
export interface DeviceIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
  readonly classCode: number;
}

export interface JournalStep {
  readonly id: string;
  /**
   * - `intended`: written before the effect, which may have happened or not.
   * - `done`: it has happened, and was read back.
   * - `undone`: it was taken back.
   */
  readonly state: 'intended' | 'done' | 'undone';
}

export type TransactionKind = 'assignable-add' | 'assignable-remove';

/**
 * - `running`: a process works on it, or was killed.
 * - `done`, `rolled-back`: nothing is left to do.
 * - `incomplete`: something could not be undone; see `problems`.
 */
export type TransactionState = 'running' | 'done' | 'rolled-back' | 'incomplete';

/** A safety rule that the operator set aside, by the name of the option. */
export type Override = 'accept-siblings' | 'allow-critical' | 'no-reset-ok';
export const overrides: readonly Override[] = ['accept-siblings', 'allow-critical', 'no-reset-ok'];

/** One transaction, one file; replaced as a whole at every change. */
export interface JournalRecord {
  /** Six digits, in the order of beginning. */
  readonly id: string;
  readonly kind: TransactionKind;
  /** The transaction that this one undoes. */
  readonly undoes: string | null;
  readonly sbdf: string;
  readonly identity: DeviceIdentity;
  /** The kernel's random id of this boot: what a restart did to bindings, no journal has to undo. */
  readonly bootId: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly owner: { readonly pid: number; readonly startedAt: string };
  readonly overrides: readonly Override[];
  readonly before: DeviceBefore;
  /** `driver_override` to leave behind; only a removal sets one again. */
  readonly overrideAfter: string | null;
  readonly state: TransactionState;
  readonly steps: readonly JournalStep[];
  /** Why it did not end as it should, one sentence each. */
  readonly problems: readonly string[];
}

/** Finished transactions that are kept, for `undo` and for whoever asks what was done. */
const MAX_FINISHED = 256;
const FILE = /^([0-9]{6})\.json$/;

export interface JournalHost {
  readonly stateDir: string;
}

export function journalDirectory({ stateDir }: JournalHost): string {
  return join(stateDir, 'journal');
}

export interface JournalContents {
  /** Oldest first. */
  readonly records: readonly JournalRecord[];
  /** Files that cannot be read as a transaction, with the reason. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[];
}

/** Every transaction that is known. Needs no lock: a file is whole at any time. */
export function readJournal(host: JournalHost): JournalContents {
  const directory = journalDirectory(host);
  const records: JournalRecord[] = [];
  const damaged: { path: string; reason: string }[] = [];
  for (const name of listFiles(directory)) {
    const path = join(directory, name);
    try {
      records.push(parseJournalRecord(JSON.parse(readFileSync(path, 'utf8')), name.slice(0, 6)));
    } catch (error) {
      if (errnoName(error) === 'ENOENT') continue;
      if (errnoName(error) !== undefined) throw error;
      damaged.push({ path, reason: describeError(error) });
    }
  }
  return { records, damaged };
}

/**
 * The transaction with this id; `12` is `000012`.
 *
 * @throws XenOperationError XENPT_NO_SUCH_TRANSACTION
 */
export function findTransaction({ records }: JournalContents, id: string): JournalRecord {
  const wanted = /^[0-9]{1,6}$/.test(id) ? id.padStart(6, '0') : id;
  const found = records.find((record) => record.id === wanted);
  if (found) return found;
  throw new XenOperationError(XenErrorCode.noSuchTransaction, `there is no transaction ${id}`, {
    next: 'See `xenpt undo --list` for those there are.',
  });
}

/** Id for the next transaction. Call it with the lock held. */
export function nextTransactionId(host: JournalHost): string {
  const last = listFiles(journalDirectory(host)).at(-1)?.slice(0, 6) ?? '0';
  return String((Number(last) + 1) % 1_000_000).padStart(6, '0');
}

/** On disk before it returns: written beside, synced, renamed, and the folder synced. */
export function writeJournalRecord(host: JournalHost, record: JournalRecord): void {
  const directory = journalDirectory(host);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  checkPrivate(directory);
  writeAtomically(join(directory, `${record.id}.json`), `${JSON.stringify({ schemaVersion: 1, ...record })}\n`);
  syncDirectory(directory);
}

/** Forgets the oldest finished transactions above {@link MAX_FINISHED}. */
export function pruneJournal(host: JournalHost): void {
  const finished = readJournal(host).records.filter(({ state }) => state === 'done' || state === 'rolled-back');
  for (const { id } of finished.slice(0, Math.max(0, finished.length - MAX_FINISHED))) {
    rmSync(join(journalDirectory(host), `${id}.json`), { force: true });
  }
}

/** Whether the process that began a transaction still works on it. */
export function isOwnerAlive(
  host: { readonly processList: ProcessList },
  { owner }: Pick<JournalRecord, 'owner'>,
): boolean {
  return host.processList.startedAt(owner.pid) === owner.startedAt;
}

export function ownerOf(host: {
  readonly processes: ProcessTable;
  readonly processList: ProcessList;
}): JournalRecord['owner'] {
  const { pid } = host.processes;
  return { pid, startedAt: host.processList.startedAt(pid) ?? '' };
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => FILE.test(name))
      .sort();
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return [];
    throw error;
  }
}
