import { formatSbdf } from '@xenpt/pci';
import type { Store, Sysfs } from './host.js';
import { readInUse } from './in-use.js';
import { storePath } from './paths.js';
import { listOnPciback, requirePciback } from './pciback.js';

export interface AssignableDevice {
  readonly sbdf: string;
  /** Where it goes back to on removal; null if nobody recorded a driver. */
  readonly driver: string | null;
  /** The name given by `xl pci-assignable-add`, if any. */
  readonly name: string | null;
}

/**
 * The devices a guest can be given: bound to pciback and not in use. The same list as `xl pci-assignable-list`.
 *
 * @throws XenOperationError XENPT_PCIBACK_MISSING, XENPT_NO_XEN
 */
export function listAssignable(host: { readonly sysfs: Sysfs; readonly store: Store }): AssignableDevice[] {
  const { store } = host;
  requirePciback(host.sysfs);
  return listOnPciback(host.sysfs)
    .filter((sbdf) => readInUse(store, sbdf) === undefined)
    .map((sbdf) => ({
      sbdf: formatSbdf(sbdf),
      driver: store.read(storePath.driverPath(sbdf)),
      name: store.read(storePath.assignableName(sbdf)),
    }));
}
