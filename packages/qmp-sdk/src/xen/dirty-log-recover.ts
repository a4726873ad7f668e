import { type DirtyLogRecord, isOwnerAlive, listDirtyLogRecords, readDirtyLogRecord } from './dirty-log-record.js';
import { type SwitchedOff, switchOff } from './dirty-log-switch.js';
import { describeError, nextStepOf } from './errors.js';
import type { DirtyLogCalls, XenHost } from './host.js';
import { withLock } from './lock.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';

export interface RecoveredDirtyLog {
  readonly domid: number;
  /** UUID of the domain and the process that the record names; null if it cannot be read. */
  readonly handle: string | null;
  readonly owner: number | null;
  /**
   * - `switched-off`: the owner is dead; logging is off now, the record is removed.
   * - `domain-gone`: so is the domain, though its id may be used again; the record is removed.
   * - `migration-running`: the logging is the migration's now, which ends it; the record is removed.
   * - `owner-alive`: a measurement goes on; nothing is done.
   * - `failed`: see the sentence.
   */
  readonly outcome: SwitchedOff | 'owner-alive' | 'failed';
  readonly sentence: string;
}

/**
 * Switches dirty logging off where a process of ours that had switched it on is dead.
 *
 * @returns one entry for each record, in order of domain id; empty if there is none.
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN, XENPT_LOCKED
 */
export async function recoverDirtyLogs(host: XenHost): Promise<readonly RecoveredDirtyLog[]> {
  requireRoot(host, 'switch dirty logging off');
  void host.toolstack;
  if (listDirtyLogRecords(host.runDir).length === 0) return [];
  const calls = host.openDirtyLogCalls();
  try {
    return await withLock(runFile.dirtyLogLock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
      const recovered: RecoveredDirtyLog[] = [];
      for (const domid of listDirtyLogRecords(host.runDir)) {
        const entry = await recoverDomain(host, calls, domid);
        if (entry) recovered.push(entry);
      }
      return recovered;
    });
  } finally {
    calls.close();
  }
}

async function recoverDomain(
  host: XenHost,
  calls: DirtyLogCalls,
  domid: number,
): Promise<RecoveredDirtyLog | undefined> {
  let record: DirtyLogRecord | undefined;
  try {
    record = readDirtyLogRecord(host.runDir, domid);
    return record && (await recoverRecord(host, calls, record));
  } catch (error) {
    return {
      domid,
      handle: record?.handle ?? null,
      owner: record?.owner.pid ?? null,
      outcome: 'failed',
      sentence: [`Domain ${domid}: ${describeError(error)}.`, nextStepOf(error)].filter(Boolean).join(' '),
    };
  }
}

/**
 * Does for one record what its owner can no longer do. Call it with the lock held.
 *
 * @throws what Xen throws; the record is kept then.
 */
export async function recoverRecord(
  host: XenHost,
  calls: DirtyLogCalls,
  record: DirtyLogRecord,
): Promise<RecoveredDirtyLog> {
  const { domid, handle, owner } = record;
  const outcome = isOwnerAlive(host.processList, owner) ? 'owner-alive' : await switchOff(host, calls, record);
  return { domid, handle, owner: owner.pid, outcome, sentence: sentences[outcome](domid, owner.pid) };
}

const sentences: Readonly<Record<Exclude<RecoveredDirtyLog['outcome'], 'failed'>, (...of: number[]) => string>> = {
  'switched-off': (domid, pid) =>
    `Dirty logging of domain ${domid} is off; process ${pid}, which had switched it on, is dead.`,
  'domain-gone': (domid, pid) =>
    `The domain ${domid} that process ${pid} measured is gone, and its dirty log with it.`,
  'migration-running': (domid) =>
    `Domain ${domid} is being saved or migrated, which ends with its dirty log off; nothing was switched off.`,
  'owner-alive': (domid, pid) => `Domain ${domid} is being measured by process ${pid}; nothing was done.`,
};
