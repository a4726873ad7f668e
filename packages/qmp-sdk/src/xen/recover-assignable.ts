import { formatSbdf, parseSbdf } from '@xenpt/pci';
import { describeError, nextStepOf } from './errors.js';
import type { XenHost } from './host.js';
import { readLiveUser } from './in-use.js';
import {
  type DeviceIdentity,
  isOwnerAlive,
  type JournalRecord,
  readJournal,
  type TransactionKind,
} from './journal.js';
import { identityOf, RecordWriter } from './journal-run.js';
import { type PlannedStep, planTransaction } from './journal-steps.js';
import { withLock } from './lock.js';
import { storePath } from './paths.js';
import { readDriverPath } from './pciback.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';

export interface RecoveredTransaction {
  /** Null for a file that is no transaction. */
  readonly transaction: string | null;
  readonly kind: TransactionKind | null;
  readonly sbdf: string | null;
  /** The process that was killed. */
  readonly owner: number | null;
  /**
   * - `rolled-back`: the device is on the driver that it had.
   * - `completed`: it was being given back, and is on its driver now.
   * - `rebooted`: a restart of the host has undone it.
   * - `owner-alive`: somebody works on it; nothing is done.
   * - `failed`: see the sentence.
   */
  readonly outcome: 'rolled-back' | 'completed' | 'rebooted' | 'owner-alive' | 'failed';
  readonly sentence: string;
}

/**
 * Ends what killed processes of ours have begun: a device that was being made assignable goes back to its driver, and
 * so does one that was being given back.
 *
 * @returns one entry for each unfinished transaction, oldest first; empty if there is none.
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN, XENPT_LOCKED
 */
export async function recoverAssignable(host: XenHost): Promise<readonly RecoveredTransaction[]> {
  requireRoot(host, 'give devices back to their drivers');
  const { records, damaged } = readJournal(host);
  const unread = damaged.map(({ path, reason }) => damagedFile(path, reason));
  const unfinished = records.filter(isUnfinished);
  if (unfinished.length === 0) return unread;
  void host.toolstack;
  // Who is alive may hold the lock for as long as a driver takes.
  if (unfinished.every((record) => isAlive(host, record))) return [...unfinished.map(leftAlone), ...unread];
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    const recovered = await recoverAll(host, () => true);
    return [...recovered, ...unread];
  });
}

/** The same for one device, before it is touched again. Call it with the lock held. */
export async function recoverDevice(host: XenHost, sbdf: string): Promise<readonly RecoveredTransaction[]> {
  return recoverAll(host, (record) => record.sbdf === sbdf);
}

/** Newest first: what was done last is undone first. */
async function recoverAll(
  host: XenHost,
  matches: (record: JournalRecord) => boolean,
): Promise<readonly RecoveredTransaction[]> {
  const unfinished = readJournal(host).records.filter((record) => isUnfinished(record) && matches(record));
  const recovered: RecoveredTransaction[] = [];
  for (const record of unfinished.reverse()) recovered.unshift(await recoverRecord(host, record));
  return recovered;
}

export function isUnfinished({ state }: JournalRecord): boolean {
  return state === 'running' || state === 'incomplete';
}

export function isAlive(host: XenHost, record: JournalRecord): boolean {
  return record.state === 'running' && isOwnerAlive(host, record);
}

export function leftAlone({ id, kind, sbdf, owner }: JournalRecord): RecoveredTransaction {
  const sentence = `${sbdf} is being worked on by process ${owner.pid}; nothing was done.`;
  return { transaction: id, kind, sbdf, owner: owner.pid, outcome: 'owner-alive', sentence };
}

async function recoverRecord(host: XenHost, record: JournalRecord): Promise<RecoveredTransaction> {
  if (isAlive(host, record)) return leftAlone(record);
  const { id, kind, sbdf, owner } = record;
  const entry = (outcome: RecoveredTransaction['outcome'], sentence: string): RecoveredTransaction => {
    return { transaction: id, kind, sbdf, owner: owner.pid, outcome, sentence };
  };
  const writer = new RecordWriter(host, record);
  try {
    if (record.bootId !== host.bootId) {
      writer.finish('rolled-back', ['The host was restarted, which undid it.']);
      return entry('rebooted', `Transaction ${id} of ${sbdf} is void: the host was restarted since.`);
    }
    requireSameCard(host, record);
    requireNoGuest(host, record);
    const outcome = await settle(host, record, writer);
    return entry(
      outcome,
      `${sbdf} is ${whereNow(host, record)}; process ${owner.pid}, which was killed, ${wish(kind)}.`,
    );
  } catch (error) {
    const problem = describeError(error);
    writer.finish('incomplete', [problem]);
    const next = nextStepOf(error) ?? `See \`xenpt show ${sbdf}\`, then run \`xenpt recover\` again.`;
    return entry('failed', `${sbdf}: ${problem}. ${next}`);
  }
}

/** Backwards for an addition; forwards for a removal, and backwards only if that cannot be. */
async function settle(
  host: XenHost,
  record: JournalRecord,
  writer: RecordWriter,
): Promise<'rolled-back' | 'completed'> {
  const steps = planTransaction(host, record);
  if (record.kind === 'assignable-add') {
    await restoreAll(host, record, steps, writer);
    writer.finish('rolled-back', []);
    return 'rolled-back';
  }
  try {
    for (const step of steps) {
      step.perform();
      writer.mark(step.id, 'done');
      await host.faultPoint?.(`recover:${step.id}`);
    }
  } catch (error) {
    await restoreAll(host, { ...record, steps: steps.map(({ id }) => ({ id, state: 'intended' })) }, steps, writer);
    writer.finish('rolled-back', [describeError(error)]);
    throw error;
  }
  writer.finish('done', []);
  return 'completed';
}

/** Every step that may have happened, in reverse. One that fails does not keep the others from being tried. */
async function restoreAll(
  host: XenHost,
  record: JournalRecord,
  steps: readonly PlannedStep[],
  writer: RecordWriter,
): Promise<void> {
  const begun = new Set(record.steps.map(({ id }) => id));
  const failures: unknown[] = [];
  for (const step of steps.filter(({ id }) => begun.has(id)).reverse()) {
    try {
      writer.restore(step);
    } catch (error) {
      failures.push(error);
    }
    await host.faultPoint?.(`recover:${step.id}`);
  }
  if (failures.length > 0) throw failures[0];
}

/** @throws Error with what was there and what is there */
export function requireSameCard(host: XenHost, { sbdf, identity }: JournalRecord): void {
  const now = identityOf(host, parseSbdf(sbdf));
  const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
  const differences = (Object.keys(identity) as (keyof DeviceIdentity)[])
    .filter((field) => identity[field] !== now[field])
    .map((field) => `${field} was ${hex(identity[field])} and is ${hex(now[field])}`);
  if (differences.length === 0) return;
  throw new Error(`another card answers at ${formatSbdf(parseSbdf(sbdf))} now (${differences.join(', ')})`);
}

/** Somebody has put it right by hand and given it to a guest since: that stands. */
export function requireNoGuest(host: XenHost, { sbdf }: JournalRecord): void {
  const domid = readLiveUser(host, parseSbdf(sbdf));
  if (domid !== undefined) throw new Error(`domain ${domid} has it now, so nothing was done`);
}

function whereNow(host: XenHost, { sbdf }: JournalRecord): string {
  const driver = readDriverPath(host.sysfs, parseSbdf(sbdf))?.split('/').pop();
  if (driver !== undefined) return `on its driver ${driver}`;
  return host.store.read(storePath.driverPath(parseSbdf(sbdf))) === null ? 'without a driver, as before' : 'free';
}

export function wish(kind: TransactionKind): string {
  return kind === 'assignable-add' ? 'was making it assignable' : 'was giving it back';
}

export function damagedFile(path: string, reason: string): RecoveredTransaction {
  return {
    transaction: null,
    kind: null,
    sbdf: null,
    owner: null,
    outcome: 'failed',
    sentence: `${path} cannot be read as a transaction (${reason}). Look at it, then remove it.`,
  };
}
