import { addAssignable, type AssignableAdded, type AssignableOptions } from './assignable-add.js';
import { type AssignableRemoved, removeAssignable } from './assignable-remove.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import { sysfsPath } from './paths.js';
import { findTransaction, type JournalContents, type JournalRecord, type Override, readJournal } from './journal.js';

export type Undone =
  | { readonly undone: string; readonly kind: 'assignable-add'; readonly result: AssignableRemoved }
  | { readonly undone: string; readonly kind: 'assignable-remove'; readonly result: AssignableAdded };

/**
 * Does the opposite of a finished transaction, as a transaction of its own: what was made assignable goes back to its
 * driver, what was given back is taken again.
 *
 * @param id left out: the last one that is not undone, and is no undoing itself
 * @throws XenOperationError XENPT_NO_SUCH_TRANSACTION, XENPT_NOTHING_TO_UNDO, and what adding and removing throw
 */
export async function undo(
  host: XenHost,
  id?: string,
  options: Pick<AssignableOptions, 'signal' | 'dryRun' | 'overrides' | 'onStep'> = {},
): Promise<Undone> {
  const journal = readJournal(host);
  const record = id === undefined ? lastUndoable(host, journal) : findTransaction(journal, id);
  requireUndoable(host, journal, record);
  // What was set aside when it was taken, stands when it is taken again.
  const overrides = [...(options.overrides ?? []), ...overridesBefore(journal, record)];
  const all = { ...options, overrides, undoes: record.id };
  return record.kind === 'assignable-add'
    ? { undone: record.id, kind: record.kind, result: await removeAssignable(host, record.sbdf, all) }
    : { undone: record.id, kind: record.kind, result: await addAssignable(host, record.sbdf, all) };
}

/** Whether a later transaction has undone this one. */
export function isUndone({ records }: JournalContents, { id }: JournalRecord): boolean {
  return records.some(({ undoes, state }) => undoes === id && state === 'done');
}

function overridesBefore({ records }: JournalContents, { sbdf, id }: JournalRecord): readonly Override[] {
  const added = records.findLast(
    (other) => other.sbdf === sbdf && other.id < id && other.kind === 'assignable-add' && other.state === 'done',
  );
  return added?.overrides ?? [];
}

function lastUndoable(host: XenHost, journal: JournalContents): JournalRecord {
  const last = journal.records.findLast(
    (record) =>
      record.state === 'done' &&
      record.undoes === null &&
      hasChanged(record) &&
      record.bootId === host.bootId &&
      !isUndone(journal, record),
  );
  if (last) return last;
  throw new XenOperationError(XenErrorCode.nothingToUndo, 'there is nothing to undo since the host was started', {
    next: 'See `xenpt undo --list` for what was done before.',
  });
}

function requireUndoable(host: XenHost, journal: JournalContents, record: JournalRecord): void {
  const { id, state } = record;
  const refuse = (reason: string, next: string): never => {
    throw new XenOperationError(XenErrorCode.nothingToUndo, `transaction ${id} ${reason}`, { next });
  };
  if (state === 'running' || state === 'incomplete') refuse('has not ended', 'Run: xenpt recover');
  if (state === 'rolled-back') refuse('was rolled back when it failed', 'There is nothing left of it to undo.');
  if (record.bootId !== host.bootId) refuse('is of an earlier boot', 'The restart of the host has undone it.');
  if (!hasChanged(record)) refuse('renewed a quarantine only', 'There is nothing of it to undo.');
  if (isUndone(journal, record)) refuse('is undone already', 'See `xenpt undo --list`.');
}

/** Adding what is assignable already renews its quarantine and changes nothing else. */
function hasChanged({ kind, before }: JournalRecord): boolean {
  return kind === 'assignable-remove' || before.driver !== sysfsPath.pciback;
}
