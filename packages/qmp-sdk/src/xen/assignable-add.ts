import { formatSbdf, type Sbdf, sbdfToNumber } from '@xenpt/pci';
import { errnoName, XenErrorCode } from './errors.js';
import { DOMID_IO, type XenHost } from './host.js';
import { removeIfEmpty } from './in-use.js';
import { withLock } from './lock.js';
import { storePath, sysfsPath } from './paths.js';
import {
  bindDriver,
  driverName,
  hasSlot,
  isOnPciback,
  readDriverPath,
  requireDevice,
  requirePciback,
  unbindDriver,
} from './pciback.js';
import { quarantine } from './release-after-death.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';
import { parseBdf } from './spec.js';
import { type Explain, type Steps, withRollback } from './steps.js';

export interface AssignableAdded {
  readonly sbdf: string;
  /** The driver it was taken from; null if it had none. */
  readonly driver: string | null;
  /** It was bound to pciback before: only the quarantine was renewed. */
  readonly already: boolean;
}

/**
 * Takes a device from its driver in dom0, binds it to pciback and puts it into quarantine, where its DMA goes nowhere.
 * The driver is recorded where libxl records it: `xl pci-assignable-remove -r` can undo this, and the other way round.
 *
 * @throws XenOperationError; everything done is undone then.
 */
export async function addAssignable(
  host: XenHost,
  bdf: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<AssignableAdded> {
  const sbdf = parseBdf(bdf);
  requireRoot(host, 'take a device from its driver');
  const { toolstack, store, sysfs } = host;
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, () => {
    requireDevice(sysfs, sbdf);
    requirePciback(sysfs);
    const what = `make ${formatSbdf(sbdf)} assignable`;
    return withRollback(what, { ...options, explain: explainQuarantine }, async (steps) => {
      const driverPath = readDriverPath(sysfs, sbdf);
      const already = driverPath === sysfsPath.pciback;
      if (!already) await moveToPciback(host, sbdf, driverPath, steps);
      await steps.run(
        'put into quarantine',
        () => quarantineUnlessInUse(host, sbdf),
        (done) => {
          if (done && !already) toolstack.deassignDevice(DOMID_IO, sbdfToNumber(sbdf));
        },
      );
      return { sbdf: formatSbdf(sbdf), driver: store.read(storePath.driverPath(sbdf)), already };
    });
  });
}

async function moveToPciback(host: XenHost, sbdf: Sbdf, driverPath: string | undefined, steps: Steps): Promise<void> {
  const { sysfs } = host;
  const name = formatSbdf(sbdf);
  await steps.run('record the driver', () => recordDriver(host, sbdf, driverPath), restoreRecord(host, sbdf));
  if (driverPath !== undefined) {
    await steps.run(
      `unbind from ${driverName(driverPath)}`,
      () => unbindDriver(sysfs, sbdf, driverPath),
      () => bindDriver(sysfs, sbdf, driverPath),
    );
  }
  if (!hasSlot(sysfs, sbdf)) {
    await steps.run(
      'announce it to pciback',
      () => sysfs.write(sysfsPath.pcibackNewSlot, name),
      () => sysfs.write(sysfsPath.pcibackRemoveSlot, name),
    );
  }
  await steps.run(
    'bind to pciback',
    () => bindDriver(sysfs, sbdf, sysfsPath.pciback),
    () => unbindDriver(sysfs, sbdf, sysfsPath.pciback),
  );
}

/** A device without a driver keeps an earlier record: that is where it came from. Returns the earlier record. */
function recordDriver({ store }: XenHost, sbdf: Sbdf, driverPath: string | undefined): string | null {
  const earlier = store.read(storePath.driverPath(sbdf));
  if (driverPath !== undefined) store.write(storePath.driverPath(sbdf), driverPath);
  return earlier;
}

function restoreRecord({ store }: XenHost, sbdf: Sbdf): (earlier: string | null) => void {
  return (earlier) => {
    if (earlier !== null) {
      store.write(storePath.driverPath(sbdf), earlier);
      return;
    }
    store.transaction((view) => {
      view.remove(storePath.driverPath(sbdf));
      removeIfEmpty(view, storePath.functionInfo(sbdf));
    });
  };
}

/** A guest that has the device keeps it: `assignable add` is then a no-op, as with xl. */
function quarantineUnlessInUse(host: XenHost, sbdf: Sbdf): boolean {
  if (host.store.read(storePath.inUse(sbdf)) !== null) return false;
  if (!isOnPciback(host.sysfs, sbdf)) return false;
  quarantine(host, sbdf);
  return true;
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
