import { formatSbdf, type Sbdf, sbdfToNumber } from '@xenpt/pci';
import { withdrawDevice } from './device-nodes.js';
import { describeError, errnoName } from './errors.js';
import {
  type Clock,
  DOMID_IO,
  type ProcessTable,
  RDM_RELAXED,
  type Store,
  type Sysfs,
  type Toolstack,
} from './host.js';
import { readInUse, releaseInUse } from './in-use.js';
import { withLock } from './lock.js';
import { isOnPciback } from './pciback.js';
import { runFile } from './run-dir.js';
import { type AfterReset, describeGone, resetOrFindGone } from './verified-reset.js';

const LOCK_TIMEOUT_MS = 60_000;

/** What Xen answers when the domain or the assignment is already gone. */
const ALREADY_GONE = new Set(['ESRCH', 'ENODEV', 'EINVAL', 'EOPNOTSUPP', 'ENOENT']);

/** One domain, and what of the host is touched for it. */
export interface DomainResources {
  readonly domid: number;
  /** The domain's UUID: one that has the id but another UUID is not touched. */
  readonly handle: string;
  readonly runDir: string;
  readonly toolstack: Toolstack;
  readonly store: Store;
  readonly sysfs: Sysfs;
  readonly clock: Clock;
  readonly processes: ProcessTable;
}

/**
 * Cleans up after a domain whose toolstack did not: resets each function that is still marked as the dead domain's,
 * takes it away from the domain, puts it back into quarantine and removes the nodes. A domain that got the same id
 * since is left alone.
 *
 * @returns one sentence for everything that did not work.
 */
export async function releaseAfterDeath(dead: DomainResources, devices: readonly Sbdf[]): Promise<string[]> {
  return withLock(runFile.lock(dead.runDir), dead, LOCK_TIMEOUT_MS, async () => {
    const problems: string[] = [];
    const attempt = async (sbdf: Sbdf, what: string, action: () => void | Promise<void>) => {
      try {
        await action();
      } catch (error) {
        problems.push(`${formatSbdf(sbdf)}: ${what}: ${describeError(error)}`);
      }
    };
    for (const sbdf of devices) {
      if (!isLeft(dead, sbdf)) continue;
      let after: AfterReset = 'answers';
      const reset = async () => {
        after = await resetOrFindGone(dead, sbdf);
      };
      for (const [what, action] of releaseSteps(dead, sbdf, reset)) {
        // Xen takes no function whose MSI-X reads as masked.
        if (what === 'quarantine' && after === ('gone' as AfterReset)) problems.push(describeGone(sbdf));
        else await attempt(sbdf, what, action);
      }
    }
    return problems;
  });
}

/** Whether the function is still the dead domain's, and that has not come back. */
export function isLeft(dead: DomainResources, sbdf: Sbdf): boolean {
  return !idIsUsedAgain(dead) && readInUse(dead.store, sbdf) === dead.domid;
}

/** What is done for one function, in order; each is tried, whatever became of those before. */
export function releaseSteps(
  dead: ReleasedResources,
  sbdf: Sbdf,
  reset: () => void | Promise<void>,
): readonly (readonly [what: string, action: () => void | Promise<void>])[] {
  const { domid, store, sysfs, toolstack } = dead;
  return [
    ['stop DMA', () => sysfs.disableBusMaster(sbdf)],
    ['reset', reset],
    ['deassign', () => deassignIfAssigned(toolstack, domid, sbdf)],
    ['quarantine', () => quarantine(dead, sbdf)],
    ['remove the nodes', () => void withdrawDevice(store, domid, sbdf)],
    ['remove the marker', () => releaseInUse(store, sbdf, domid)],
  ];
}

export type ReleasedResources = Pick<DomainResources, 'domid' | 'store' | 'sysfs'> & {
  readonly toolstack: Pick<Toolstack, 'assignDevice' | 'deassignDevice'>;
};

/** Takes a function away from a domain; nothing to take away is fine. */
export function deassignIfAssigned(toolstack: Pick<Toolstack, 'deassignDevice'>, domid: number, sbdf: Sbdf): void {
  try {
    toolstack.deassignDevice(domid, sbdfToNumber(sbdf));
  } catch (error) {
    if (!ALREADY_GONE.has(errnoName(error) ?? '')) throw error;
  }
}

/**
 * Gives a function that is bound to pciback to DOMID_IO, where its DMA goes nowhere. Xen accepts it for one that is
 * there already (xen/drivers/passthrough/pci.c, assign_device).
 */
export function quarantine(
  host: { readonly toolstack: Pick<Toolstack, 'assignDevice'>; readonly sysfs: Sysfs },
  sbdf: Sbdf,
): void {
  if (isOnPciback(host.sysfs, sbdf)) host.toolstack.assignDevice(DOMID_IO, sbdfToNumber(sbdf), RDM_RELAXED);
}

function idIsUsedAgain({ toolstack, domid, handle }: DomainResources): boolean {
  const info = toolstack.domainInfo(domid);
  return info !== null && info.handle !== handle;
}
