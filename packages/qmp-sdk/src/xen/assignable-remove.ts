import { formatSbdf, type Sbdf, sbdfToNumber } from '@xenpt/pci';
import { domainName } from './domains.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import { DOMID_IO, type XenHost } from './host.js';
import { readLiveUser, removeIfEmpty } from './in-use.js';
import { withLock } from './lock.js';
import { storePath, sysfsPath } from './paths.js';
import {
  bindDriver,
  driverName,
  hasSlot,
  isOnPciback,
  requireDevice,
  requirePciback,
  unbindDriver,
} from './pciback.js';
import { quarantine } from './release-after-death.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';
import { parseBdf } from './spec.js';
import { type Steps, withRollback } from './steps.js';

export interface AssignableRemoved {
  readonly sbdf: string;
  /** The driver it is bound to again; null if none was recorded. */
  readonly driver: string | null;
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
  options: { readonly signal?: AbortSignal } = {},
): Promise<AssignableRemoved> {
  const sbdf = parseBdf(bdf);
  requireRoot(host, 'give a device back to its driver');
  const { store, sysfs } = host;
  void host.toolstack;
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, () => {
    requireDevice(sysfs, sbdf);
    requirePciback(sysfs);
    requireIdle(host, sbdf);
    const driverPath = recordedDriver(host, sbdf);
    return withRollback(`give ${formatSbdf(sbdf)} back to dom0`, options, async (steps) => {
      await leavePciback(host, sbdf, steps);
      if (driverPath !== null) {
        await steps.run(
          `bind to ${driverName(driverPath)}`,
          () => bindDriver(sysfs, sbdf, driverPath),
          () => unbindDriver(sysfs, sbdf, driverPath),
        );
      }
      await steps.run('forget the recorded driver', () =>
        store.transaction((view) => {
          view.remove(storePath.driverPath(sbdf));
          view.remove(storePath.assignableName(sbdf));
          view.remove(storePath.inUse(sbdf));
          removeIfEmpty(view, storePath.functionInfo(sbdf));
        }),
      );
      return { sbdf: formatSbdf(sbdf), driver: driverPath };
    });
  });
}

async function leavePciback(host: XenHost, sbdf: Sbdf, steps: Steps): Promise<void> {
  const { sysfs, toolstack } = host;
  const name = formatSbdf(sbdf);
  await steps.run(
    'take out of quarantine',
    () => leaveQuarantine(host, sbdf),
    (wasInQuarantine) => {
      if (wasInQuarantine) quarantine({ sysfs, toolstack }, sbdf);
    },
  );
  await steps.run(
    'unbind from pciback',
    () => unbindDriver(sysfs, sbdf, sysfsPath.pciback),
    () => bindDriver(sysfs, sbdf, sysfsPath.pciback),
  );
  if (!hasSlot(sysfs, sbdf)) return;
  await steps.run(
    'withdraw it from pciback',
    () => sysfs.write(sysfsPath.pcibackRemoveSlot, name),
    () => sysfs.write(sysfsPath.pcibackNewSlot, name),
  );
}

/** A device that a tool bound to pciback without quarantine is with dom0 already: Xen then answers ENODEV. */
function leaveQuarantine({ toolstack }: XenHost, sbdf: Sbdf): boolean {
  try {
    toolstack.deassignDevice(DOMID_IO, sbdfToNumber(sbdf));
    return true;
  } catch (error) {
    const name = errnoName(error);
    if (name === 'ENODEV' || name === 'EOPNOTSUPP') return false;
    throw error;
  }
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
