import { formatSbdf, requireXenSegment } from '@xenpt/pci';
import { describePlan, type OperationPlan } from './operation-plan.js';
import { errnoName, XenErrorCode } from './errors.js';
import type { XenHost } from './host.js';
import { type Override, readJournal } from './journal.js';
import { describeTransaction, runTransaction, type TransactionRequest } from './journal-run.js';
import { planTransaction } from './journal-steps.js';
import { withLock } from './lock.js';
import { isOnPciback, requireDevice, requirePciback } from './pciback.js';
import { recoverDevice } from './recover-assignable.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';
import { parseBdf } from './spec.js';
import type { Explain, OnStep } from './steps.js';
import { acceptedOverrides, type Intention, requireVerdict, type SetAside } from './verdict-check.js';

export interface AssignableAdded {
  readonly sbdf: string;
  /** The driver it was taken from; null if it had none. */
  readonly driver: string | null;
  /** It was bound to pciback before: only the quarantine was renewed. */
  readonly already: boolean;
  /** Id in the journal, for `undo`; null for a dry run. */
  readonly transaction: string | null;
  /** For a dry run: what would be written where. */
  readonly plan: OperationPlan | null;
  /** What the rules hold against it, and the operator has set aside. */
  readonly setAside: readonly SetAside[];
}

export interface AssignableOptions {
  readonly signal?: AbortSignal;
  /** Writes nothing; the result has the plan. */
  readonly dryRun?: boolean;
  /** What the operator takes the risk of. Those that set something aside are recorded in the journal. */
  readonly overrides?: readonly Override[];
  /** Others that are made assignable with it, by address: a whole card does not stand in its own way. */
  readonly together?: readonly string[];
  readonly onStep?: OnStep;
  /** The transaction that this one undoes. */
  readonly undoes?: string;
}

/**
 * Takes a device from its driver in dom0, binds it to pciback and puts it into quarantine, where its DMA goes nowhere.
 * The driver is recorded where libxl records it: `xl pci-assignable-remove -r` can undo this, and the other way round.
 * Each step is in the journal: a killed process is cleaned up after by `recoverAssignable`.
 *
 * @throws RefusedByRules when a rule of the inventory calls it not assignable, and no override sets that aside
 * @throws XenOperationError; everything done is undone then.
 */
export async function addAssignable(
  host: XenHost,
  bdf: string,
  options: AssignableOptions = {},
): Promise<AssignableAdded> {
  const sbdf = parseBdf(bdf);
  requireXenSegment(sbdf);
  requireRoot(host, 'take a device from its driver');
  void host.toolstack;
  const name = formatSbdf(sbdf);
  const begin = () => {
    requireDevice(host.sysfs, sbdf);
    requirePciback(host.sysfs);
    const already = isOnPciback(host.sysfs, sbdf);
    // What is held already is not taken from anybody.
    const setAside = already ? [] : requireVerdict(host, sbdf, intentionOf(options));
    const used = already
      ? [...acceptedOverrides(readJournal(host), host, name), ...(options.overrides ?? [])]
      : setAside.map(({ override }) => override);
    const undoes = options.undoes === undefined ? {} : { undoes: options.undoes };
    const request: TransactionRequest = { kind: 'assignable-add', sbdf, overrides: [...new Set(used)], ...undoes };
    const record = describeTransaction(host, request);
    const { driver, recordedDriver } = record.before;
    // A device without a driver keeps an earlier record: that is where it came from.
    return { record, already, setAside, driver: already ? recordedDriver : (driver ?? recordedDriver) };
  };
  if (options.dryRun === true) {
    const { record, already, driver, setAside } = begin();
    const plan = describePlan(name, planTransaction(host, record));
    return { sbdf: name, driver, already, transaction: null, plan, setAside };
  }
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    await recoverDevice(host, name);
    const { record, already, driver, setAside } = begin();
    const what = `make ${name} assignable`;
    const transaction = await runTransaction(host, record, {
      what,
      signal: options.signal,
      onStep: options.onStep,
      explain: explainQuarantine,
    });
    return { sbdf: name, driver, already, transaction, plan: null, setAside };
  });
}

function intentionOf({ overrides = [], together }: AssignableOptions): Intention {
  return { overrides, ...(together === undefined ? {} : { together }) };
}

const explainQuarantine: Explain = (cause) => {
  switch (errnoName(cause)) {
    case 'EOPNOTSUPP':
      return {
        code: XenErrorCode.noIommu,
        message: 'Xen uses no IOMMU on this host, so nothing would confine the DMA of the device',
        next: 'Switch VT-d or AMD-Vi on in the firmware and boot Xen with iommu=required; see `xl dmesg`.',
      };
    case 'EBUSY':
      return {
        code: XenErrorCode.deviceInUse,
        message: 'Xen says that a guest has the device',
        next: 'Detach it from its guest first; `xenpt list` names the owner.',
      };
    default:
      return undefined;
  }
};
