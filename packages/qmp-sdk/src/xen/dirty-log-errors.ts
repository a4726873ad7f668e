import { formatSbdf, parseSbdf } from '@xenpt/pci';
import { readPublishedDevices } from './device-nodes.js';
import type { Saver } from './dirty-log-migration.js';
import type { DirtyLogRecord } from './dirty-log-record.js';
import { describeError, errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Store } from './host.js';
import { parseDomid } from './domains.js';
import { storePath } from './paths.js';

/** A domain, as messages name it. */
export interface NamedDomain {
  readonly domid: number;
  readonly name: string;
}

const inWords = ({ domid, name }: NamedDomain) => `domain ${domid} (${name})`;

export function domainGone(domain: NamedDomain, cause?: unknown): XenOperationError {
  return new XenOperationError(
    XenErrorCode.domainGone,
    `${inWords(domain)} was destroyed while its dirty log was open`,
    { cause, next: 'Nothing is left to clean up. What was measured until then is valid.' },
  );
}

export function migrationRunning(domain: NamedDomain, saver: Saver): XenOperationError {
  return new XenOperationError(
    XenErrorCode.migrationRunning,
    `${inWords(domain)} is being saved or migrated (${saver.program}, process ${saver.pid}), which needs its dirty log`,
    { next: 'Measure again when that is over.' },
  );
}

/** Somebody switched it off under us: a migration that came and went between two looks, or another program. */
export function loggingLost(domain: NamedDomain): XenOperationError {
  return new XenOperationError(
    XenErrorCode.dirtyLogLost,
    `the dirty log of ${inWords(domain)} was switched off by somebody else, so the writes since the last look are ` +
      'not known',
    {
      next: 'If it was a migration that failed, or another program that measures, wait for its end; then start again.',
    },
  );
}

export function loggingClosed(domain: NamedDomain, aborted: boolean): XenOperationError {
  return aborted
    ? new XenOperationError(XenErrorCode.aborted, `measuring ${inWords(domain)} was interrupted`, {
        next: 'Run it again.',
      })
    : new XenOperationError(XenErrorCode.dirtyLogLost, `the dirty log of ${inWords(domain)} is closed`, {
        next: 'Open it again.',
      });
}

export function measuredAlready(domain: NamedDomain, { owner }: DirtyLogRecord): XenOperationError {
  return new XenOperationError(
    XenErrorCode.dirtyLogBusy,
    `${inWords(domain)} is being measured by process ${owner.pid} already`,
    { next: `Wait for it, or end it: kill ${owner.pid}` },
  );
}

/** dom0 measures others; Xen refuses to log the domain that asks. */
export function controlDomain(domain: NamedDomain): XenOperationError {
  return new XenOperationError(
    XenErrorCode.noSuchDomain,
    `${inWords(domain)} is the control domain, whose writes Xen cannot log for itself`,
    { next: 'Name a guest; see `xl list`.' },
  );
}

export function stillOn(domain: NamedDomain, cause: unknown): XenOperationError {
  const message = `the dirty log of ${inWords(domain)} could not be switched off: ${describeError(cause)}`;
  return new XenOperationError(XenErrorCode.stepFailed, message, {
    cause,
    outcome: 'incomplete',
    leftovers: [`Dirty logging of domain ${domain.domid} is still on: its writes are slower.`],
    next: 'When this process has ended, run: xenpt recover',
  });
}

/** What Xen's refusal to switch it on means. EINVAL stands for two reasons (paging_log_dirty_enable). */
export function enableRefused(store: Store, domain: NamedDomain, cause: unknown): XenOperationError {
  if (errnoName(cause) === 'ESRCH') return domainGone(domain, cause);
  if (errnoName(cause) === 'EOPNOTSUPP') return unsupported(domain, cause);
  if (errnoName(cause) !== 'EINVAL') return scanFailed(domain, 'switched on', cause);
  const devices = devicesOf(store, domain.domid);
  if (devices.length === 0) return onAlready(domain, cause);
  const [device = ''] = devices;
  return new XenOperationError(
    XenErrorCode.domainHasDevice,
    `Xen logs no writes of ${inWords(domain)}, because it has a PCI device (${devices.join(', ')}): what the device ` +
      'writes by DMA cannot be seen',
    {
      cause,
      next: `Take it away for the measurement: xenpt detach ${domain.domid} ${device} (or xl pci-detach).`,
    },
  );
}

/** Without CONFIG_SHADOW_PAGING, as Debian builds it, a PV guest has no paging of Xen's that could log. */
function unsupported(domain: NamedDomain, cause: unknown): XenOperationError {
  return new XenOperationError(
    XenErrorCode.dirtyLogUnsupported,
    `this Xen was built without shadow paging, so it cannot log the writes of ${inWords(domain)}, a PV guest`,
    {
      cause,
      next: 'Run the guest as PVH or HVM (type="pvh"), which needs none; PV guests cannot migrate live either.',
    },
  );
}

function onAlready(domain: NamedDomain, cause: unknown): XenOperationError {
  return new XenOperationError(
    XenErrorCode.dirtyLogBusy,
    `the dirty log of ${inWords(domain)} is on already, and xenpt has no record of having switched it on`,
    {
      cause,
      next:
        'Find the program that uses it, and wait for its end; xenpt leaves it on. If it was a migration that was ' +
        'killed: the next save or migration of the domain takes it over and ends it.',
    },
  );
}

/** `what`: "read" or the like. */
export function scanFailed(domain: NamedDomain, what: string, cause: unknown): XenOperationError {
  if (errnoName(cause) === 'ESRCH') return domainGone(domain, cause);
  return new XenOperationError(
    XenErrorCode.stepFailed,
    `the dirty log of ${inWords(domain)} could not be ${what}: ${describeError(cause)}`,
    {
      cause,
      next:
        errnoName(cause) === 'ENOMEM'
          ? 'Free memory of the host, or measure with shorter intervals.'
          : 'See `xl dmesg` for what Xen says about it.',
    },
  );
}

/** Devices that a toolstack noted down as this domain's. */
function devicesOf(store: Store, domid: number): string[] {
  const published = readPublishedDevices(store, domid).map(({ sbdf }) => formatSbdf(sbdf));
  const marked = (store.list(storePath.allFunctionInfo) ?? []).flatMap((name) => {
    const address = /^([0-9a-f]{4})-([0-9a-f]{2})-([0-9a-f]{2})-([0-7])$/i.exec(name);
    if (!address) return [];
    const sbdf = parseSbdf(`${address[1]}:${address[2]}:${address[3]}.${address[4]}`);
    return parseDomid(store.read(storePath.inUse(sbdf))) === domid ? [formatSbdf(sbdf)] : [];
  });
  return [...new Set([...published, ...marked])];
}
