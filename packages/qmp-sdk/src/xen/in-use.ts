import type { Sbdf } from '@xenpt/pci';
import { parseDomid } from './domains.js';
import type { Store, StoreView, Toolstack } from './host.js';
import { storePath } from './paths.js';

/** The domain that libxl or we marked as the user of a function; undefined if none. */
export function readInUse(view: StoreView, sbdf: Sbdf): number | undefined {
  return parseDomid(view.read(storePath.inUse(sbdf)));
}

/** The marked user, if Xen still knows that domain: a marker can outlive its domain when a toolstack crashed. */
export function readLiveUser(
  host: { readonly store: Store; readonly toolstack: Toolstack },
  sbdf: Sbdf,
): number | undefined {
  const domid = readInUse(host.store, sbdf);
  return domid !== undefined && host.toolstack.domainInfo(domid) !== null ? domid : undefined;
}

/**
 * Sets the marker that `xl pci-attach` and `xl pci-assignable-list` respect. `expected` is what it said when it was
 * last looked at; if another tool was faster, nothing is written.
 *
 * @returns false if the marker is not as expected.
 */
export function claimInUse(store: Store, sbdf: Sbdf, domid: number, expected: number | undefined): boolean {
  return store.transaction((view) => {
    if (readInUse(view, sbdf) !== expected) return false;
    view.write(storePath.inUse(sbdf), String(domid));
    return true;
  });
}

/** Removes the marker if it still names `domid`; another owner's is left alone. */
export function releaseInUse(store: Store, sbdf: Sbdf, domid: number): void {
  store.transaction((view) => {
    if (readInUse(view, sbdf) !== domid) return;
    view.remove(storePath.inUse(sbdf));
    removeIfEmpty(view, storePath.functionInfo(sbdf));
  });
}

export function removeIfEmpty(view: StoreView, path: string): void {
  if (view.list(path)?.length === 0) view.remove(path);
}
