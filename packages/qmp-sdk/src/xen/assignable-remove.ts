import { formatSbdf, requireXenSegment, type Sbdf } from '@xenpt/pci';
import type { AssignableOptions } from './assignable-add.js';
import { describePlan, type OperationPlan } from './operation-plan.js';
import { domainName } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import { readLiveUser } from './in-use.js';
import { readJournal } from './journal.js';
import { describeTransaction, runTransaction } from './journal-run.js';
import { planTransaction } from './journal-steps.js';
import { withLock } from './lock.js';
import { storePath, sysfsPath } from './paths.js';
import { isOnPciback, requireDevice, requirePciback } from './pciback.js';
import { recoverDevice } from './recover-assignable.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';
import { parseBdf } from './spec.js';

const PCIBACK = 'pciback';

export interface AssignableRemoved {
  readonly sbdf: string;
  /** The driver it is bound to again; null if none was recorded. */
  readonly driver: string | null;
  /** Id in the journal, for `undo`; null for a dry run. */
  readonly transaction: string | null;
  /** For a dry run: what would be written where. */
  readonly plan: OperationPlan | null;
}

/**
 * Gives a device back to dom0: out of quarantine, off pciback, bound to the driver that `assignable add` or
 * `xl pci-assignable-add` recorded, and looks whether that driver took it.
 *
 * @throws XenOperationError; everything done is undone then.
 */
export async function removeAssignable(
  host: XenHost,
  bdf: string,
  options: Pick<AssignableOptions, 'signal' | 'dryRun' | 'undoes' | 'onStep'> = {},
): Promise<AssignableRemoved> {
  const sbdf = parseBdf(bdf);
  requireXenSegment(sbdf);
  requireRoot(host, 'give a device back to its driver');
  void host.toolstack;
  const name = formatSbdf(sbdf);
  const begin = () => {
    requireDevice(host.sysfs, sbdf);
    requirePciback(host.sysfs);
    requireIdle(host, sbdf);
    const driver = recordedDriver(host, sbdf);
    const record = describeTransaction(host, {
      kind: 'assignable-remove',
      sbdf,
      overrideAfter: overrideBefore(host, name),
      ...(options.undoes === undefined ? {} : { undoes: options.undoes }),
    });
    return { driver, record };
  };
  if (options.dryRun === true) {
    const { driver, record } = begin();
    return { sbdf: name, driver, transaction: null, plan: describePlan(name, planTransaction(host, record)) };
  }
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    await recoverDevice(host, name);
    const { driver, record } = begin();
    const what = `give ${name} back to dom0`;
    const transaction = await runTransaction(host, record, {
      what,
      signal: options.signal,
      onStep: options.onStep,
    });
    return { sbdf: name, driver, transaction, plan: null };
  });
}

/** The `driver_override` that our last addition of this boot took away; never the one that is set at boot. */
function overrideBefore(host: XenHost, sbdf: string): string | null {
  const added = readJournal(host).records.findLast(
    (record) => record.sbdf === sbdf && record.kind === 'assignable-add' && record.state === 'done',
  );
  const override = added?.bootId === host.bootId ? added.before.driverOverride : null;
  return override === PCIBACK ? null : override;
}

function requireIdle(host: XenHost, sbdf: Sbdf): void {
  const { store, sysfs } = host;
  const name = formatSbdf(sbdf);
  if (!isOnPciback(sysfs, sbdf)) {
    throw new XenOperationError(
      XenErrorCode.notAssignable,
      `${name} is not bound to pciback, so it is dom0's already`,
      {
        next: 'See `xenpt assignable list`.',
      },
    );
  }
  const domid = readLiveUser(host, sbdf);
  if (domid === undefined) return;
  throw new XenOperationError(
    XenErrorCode.deviceInUse,
    `${name} is attached to domain ${domid} (${domainName(store, domid)})`,
    { next: `Detach it first: xenpt detach ${domid} ${name}` },
  );
}

/** What stands in the node becomes a path that is written to, so only a PCI driver's folder will do. */
function recordedDriver({ store }: XenHost, sbdf: Sbdf): string | null {
  const node = storePath.driverPath(sbdf);
  const path = store.read(node);
  if (path === null || path === sysfsPath.pciback) return null;
  if (/^\/sys\/bus\/pci\/drivers\/[\w-][\w.-]*$/.test(path)) return path;
  throw new XenOperationError(
    XenErrorCode.stepFailed,
    `${node} says "${path}", which is not the folder of a driver`,
    {
      next: `Correct it with xenstore-write ${node} /sys/bus/pci/drivers/NAME, or remove it with xenstore-rm ${node}.`,
    },
  );
}
