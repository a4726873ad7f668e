import { existsSync } from 'node:fs';
import { formatSbdf, type FunctionImage, type Resource, type Sbdf, sbdfToNumber } from '@xenpt/pci';
import { listResources } from '@xenpt/pci/sysfs';
import { type Domain, domainName } from './domains.js';
import { describeError, errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { GrantFile, GrantRecord } from './grants.js';
import type { Sysfs, XenHost } from './host.js';
import { readInUse } from './in-use.js';
import { sysfsPath } from './paths.js';
import { driverName, readDriverPath, sysfsOptions } from './pciback.js';
import type { Explain } from './steps.js';

const PAGE_BYTES = 4096n;

/** @throws XenOperationError XENPT_DOMAIN_NOT_HVM */
export function requireHvm(domain: Domain): void {
  const { domid, name, type, info } = domain;
  if (info.flags.hvm && type === 'hvm' && domid !== 0) return;
  throw new XenOperationError(
    XenErrorCode.domainNotHvm,
    `domain ${domid} (${name}) is ${domid === 0 ? 'dom0' : type.toUpperCase()}, not HVM`,
    { next: 'Only HVM guests have an emulated PCI bus: set type="hvm" in its configuration and create it again.' },
  );
}

/** @throws XenOperationError XENPT_NO_IOMMU */
export function requireIommu(host: XenHost): void {
  if (host.toolstack.physInfo().hvmDirectIo) return;
  throw new XenOperationError(XenErrorCode.noIommu, 'Xen uses no IOMMU on this host', {
    next: 'Switch VT-d or AMD-Vi on in the firmware and boot Xen with iommu=required; see `xl dmesg`.',
  });
}

/** @throws XenOperationError XENPT_DEVICE_HAS_DRIVER */
export function requireOnPciback(sysfs: Sysfs, sbdf: Sbdf): void {
  const driverPath = readDriverPath(sysfs, sbdf);
  if (driverPath === sysfsPath.pciback) return;
  const name = formatSbdf(sbdf);
  throw new XenOperationError(
    XenErrorCode.deviceHasDriver,
    driverPath === undefined
      ? `${name} is not assignable: it is bound to no driver, so dom0 could still take it`
      : `${name} is still used by dom0's driver ${driverName(driverPath)}`,
    { next: `Run: xenpt assignable add ${name}` },
  );
}

/**
 * Whether somebody has the device.
 *
 * @returns the stale marker of a domain that is gone, to be replaced; undefined if there is no marker.
 * @throws XenOperationError XENPT_ALREADY_ATTACHED, XENPT_DEVICE_IN_USE
 */
export function requireUnused(
  host: XenHost,
  domain: Domain,
  sbdf: Sbdf,
  file: GrantFile | undefined,
): number | undefined {
  const name = formatSbdf(sbdf);
  const { domid } = domain;
  const user = readInUse(host.store, sbdf);
  const known = file?.devices.find((device) => device.sbdf === name);
  const record = known && isTakenByXl(known, user, domid) ? undefined : known;
  if (record && record.state !== 'attached') {
    throw new XenOperationError(
      XenErrorCode.alreadyAttached,
      `an earlier ${record.state === 'attaching' ? 'attach' : 'detach'} of ${name} was cut off half way`,
      { next: 'Run: xenpt recover' },
    );
  }
  if (record || user === domid) {
    throw new XenOperationError(XenErrorCode.alreadyAttached, `${name} is attached to ${domain.name} already`, {
      next: 'Nothing to do. `xenpt list` shows who has what.',
    });
  }
  if (user === undefined || host.toolstack.domainInfo(user) === null) return user;
  throw new XenOperationError(
    XenErrorCode.deviceInUse,
    `${name} is attached to domain ${user} (${domainName(host.store, user)})`,
    { next: `Detach it there first: xenpt detach ${user} ${name}` },
  );
}

/** `xl pci-detach` works on a device of QEMU's model, and knows nothing of our record. */
export function isTakenByXl({ model, state }: GrantRecord, user: number | undefined, domid: number): boolean {
  return model === 'qemu' && state === 'attached' && user !== domid;
}

/**
 * A page is the smallest thing that Xen can give; a BAR that shares one with another function would give that too.
 *
 * @throws XenOperationError XENPT_RESOURCE_SHARED
 */
export function requireOwnPages(sysfs: Sysfs, image: FunctionImage): void {
  const name = formatSbdf(image.sbdf);
  const mine = memoryOf(image.resources);
  for (const { index, start } of mine) {
    if (start % PAGE_BYTES === 0n) continue;
    throw new XenOperationError(
      XenErrorCode.resourceShared,
      `BAR ${index} of ${name} is at ${start.toString(16)}, not at the start of a page`,
      { next: `Boot dom0's kernel with pci=resource_alignment=12@${name} so that each BAR gets its own pages.` },
    );
  }
  for (const { sbdf, resources } of listResources(sysfsOptions(sysfs))) {
    if (formatSbdf(sbdf) === name) continue;
    for (const theirs of memoryOf(resources)) {
      const shared = mine.find((resource) => overlap(resource, theirs));
      if (!shared) continue;
      throw new XenOperationError(
        XenErrorCode.resourceShared,
        `BAR ${shared.index} of ${name} shares a page with BAR ${theirs.index} of ${formatSbdf(sbdf)}`,
        { next: `Boot dom0's kernel with pci=resource_alignment=12@${name} so that each BAR gets its own pages.` },
      );
    }
  }
}

/** Asks Xen whether it would assign the function, before anything is changed. */
export function requireAssignable(host: XenHost, domain: Domain, sbdf: Sbdf): void {
  try {
    host.toolstack.testAssignDevice(domain.domid, sbdfToNumber(sbdf));
  } catch (error) {
    // The test, unlike the assignment itself, says EINVAL for both of these (xen/drivers/passthrough/pci.c).
    if (errnoName(error) === 'EINVAL') {
      throw new XenOperationError(
        XenErrorCode.deviceInUse,
        `Xen says that ${formatSbdf(sbdf)} is assigned to another domain, or does not know it`,
        { cause: error, next: 'See `xl debug-keys Q; xl dmesg` for what Xen knows of it.' },
      );
    }
    const known = explainAssign(domain)(error);
    if (known) throw new XenOperationError(known.code, known.message, { cause: error, next: known.next });
    throw new XenOperationError(XenErrorCode.stepFailed, `Xen refuses the device: ${describeError(error)}`, {
      cause: error,
      next: 'See `xl dmesg` for the reason.',
    });
  }
}

/** Whether the kernel can reset the function at all. */
export function isResettable(sysfs: Sysfs, sbdf: Sbdf): boolean {
  return existsSync(sysfs.root + sysfsPath.reset(sbdf));
}

/** What Xen means by the errors of test_assign_device and assign_device. */
export function explainAssign(domain: Domain): Explain {
  const causes: Record<string, [XenErrorCode, string, string]> = {
    EOPNOTSUPP: [
      XenErrorCode.domainWithoutPassthrough,
      `domain ${domain.domid} (${domain.name}) was created without passthrough`,
      'Set passthrough="sync_pt" or passthrough="enabled" in its configuration and create it again.',
    ],
    EBUSY: [
      XenErrorCode.deviceInUse,
      'the device belongs to another domain, or its MSI-X is still masked as a whole by an earlier user',
      'Detach it from its guest, or run `xenpt assignable remove` and `add` again so that its driver resets it.',
    ],
    EXDEV: [
      XenErrorCode.domainMemoryBusy,
      'the guest uses populate-on-demand, memory paging or sharing, or it is being migrated',
      'Set maxmem equal to memory in its configuration, and do not migrate it while it has a device.',
    ],
    EPERM: [
      XenErrorCode.reservedMemory,
      'the device needs reserved memory (RMRR) that this guest does not respect',
      'See `xl dmesg`; such a device needs rdm="strategy=host" in the configuration of the guest.',
    ],
    EBADF: [
      XenErrorCode.deviceBroken,
      'Xen has marked the device as broken after IOMMU faults or a failed reset',
      'Power the host off and on, then look into `xl dmesg`.',
    ],
  };
  return (cause) => {
    const known = causes[assignErrno(cause)];
    return known && { code: known[0], message: known[1], next: known[2] };
  };
}

/** Only errors of the assignment calls mean what the table says; a file's EBUSY or EPERM is something else. */
function assignErrno(cause: unknown): string {
  const call = typeof cause === 'object' && cause !== null ? (cause as { call?: unknown }).call : undefined;
  return typeof call === 'string' && /assign/.test(call) ? (errnoName(cause) ?? '') : '';
}

function memoryOf(resources: readonly Resource[]): Resource[] {
  return resources.filter(({ kind, start, sizeBytes }) => kind !== 'io' && start > 0n && sizeBytes > 0n);
}

function overlap(a: Resource, b: Resource): boolean {
  return firstPage(a) <= lastPage(b) && firstPage(b) <= lastPage(a);
}

function firstPage({ start }: Resource): bigint {
  return start / PAGE_BYTES;
}

function lastPage({ start, sizeBytes }: Resource): bigint {
  return (start + sizeBytes - 1n) / PAGE_BYTES;
}
