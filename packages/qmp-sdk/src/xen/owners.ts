import { formatSbdf, type Owner, type Sbdf } from '@xenpt/pci';
import { readPublishedDevices } from './device-nodes.js';
import { domainName, parseDomid } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { Store } from './host.js';
import { readInUse } from './in-use.js';
import { storePath } from './paths.js';
import { formatGuestAddress } from './spec.js';

export interface Owners {
  readonly ownerOf: (fn: { readonly sbdf: Sbdf; readonly driver: string | null }) => Owner;
  /** Why no guest is known; empty when they are. */
  readonly notes: readonly string[];
}

/** What Xen's 32-bit addresses can name. */
const LAST_SEGMENT = 0xffff;

/** Reads once who has what, for any number of functions. */
export function readOwners(host: { readonly store: Store }): Owners {
  const { store, notes } = openStore(host);
  const guests = store ? publishedOwners(store) : new Map<string, Owner>();
  const marked = new Set(store?.list(storePath.allFunctionInfo) ?? []);
  return {
    notes,
    ownerOf: ({ sbdf, driver }) => {
      if (sbdf.segment > LAST_SEGMENT) return { kind: 'host', driver };
      const name = formatSbdf(sbdf);
      const guest = guests.get(name) ?? (store && marked.has(name.replace(/[:.]/g, '-')) && markedOwner(store, sbdf));
      if (guest) return guest;
      if (driver !== 'pciback') return { kind: 'host', driver };
      return store ? { kind: 'assignable' } : { kind: 'unknown' };
    },
  };
}

function openStore(host: { readonly store: Store }): { readonly store?: Store; readonly notes: readonly string[] } {
  try {
    return { store: host.store, notes: [] };
  } catch (error) {
    if (!(error instanceof XenOperationError) || error.code !== XenErrorCode.noXen) throw error;
    return { notes: [`Which guest has a device cannot be told: ${error.message}.`] };
  }
}

/** What the backend directories say; they know the guest's address too. */
function publishedOwners(store: Store): Map<string, Owner> {
  const owners = new Map<string, Owner>();
  for (const text of store.list(storePath.allBackends) ?? []) {
    const domid = parseDomid(text);
    if (domid === undefined) continue;
    for (const { sbdf, guestDevfn } of readPublishedDevices(store, domid)) {
      owners.set(formatSbdf(sbdf), {
        kind: 'domain',
        domid,
        domainName: domainName(store, domid),
        guestSbdf: guestDevfn === undefined ? null : formatGuestAddress(guestDevfn),
      });
    }
  }
  return owners;
}

function markedOwner(store: Store, sbdf: Sbdf): Owner | undefined {
  const domid = readInUse(store, sbdf);
  return domid === undefined
    ? undefined
    : { kind: 'domain', domid, domainName: domainName(store, domid), guestSbdf: null };
}
