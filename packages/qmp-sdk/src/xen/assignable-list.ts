import { formatSbdf } from '@xenpt/pci';
import type { Store, Sysfs } from './host.js';
import { readAssignments } from './assignments.js';
import { readInUse } from './in-use.js';
import { type JournalHost, type Override, readJournal } from './journal.js';
import { storePath } from './paths.js';
import { listOnPciback, requirePciback } from './pciback.js';
import { acceptedOverrides } from './verdict-check.js';

export interface AssignableDevice {
  readonly sbdf: string;
  /** Where it goes back to on removal; null if nobody recorded a driver. */
  readonly driver: string | null;
  /** The name given by `xl pci-assignable-add`, if any. */
  readonly name: string | null;
  /** What was set aside when it was made assignable. */
  readonly overrides: readonly Override[];
  /** It is made assignable again after a restart. */
  readonly persistent: boolean;
}

/**
 * The devices a guest can be given: bound to pciback and not in use. The same list as `xl pci-assignable-list`.
 *
 * @throws XenOperationError XENPT_PCIBACK_MISSING, XENPT_NO_XEN
 */
export function listAssignable(
  host: JournalHost & { readonly bootId: string; readonly sysfs: Sysfs; readonly store: Store },
): AssignableDevice[] {
  const { store } = host;
  requirePciback(host.sysfs);
  const journal = readJournal(host);
  const kept = new Set(readAssignments(host.sysfs).map(({ address }) => address));
  return listOnPciback(host.sysfs)
    .filter((sbdf) => readInUse(store, sbdf) === undefined)
    .map((sbdf) => ({
      sbdf: formatSbdf(sbdf),
      driver: store.read(storePath.driverPath(sbdf)),
      name: store.read(storePath.assignableName(sbdf)),
      overrides: acceptedOverrides(journal, host, formatSbdf(sbdf)),
      persistent: kept.has(formatSbdf(sbdf)),
    }));
}
