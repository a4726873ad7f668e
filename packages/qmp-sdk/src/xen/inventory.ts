import {
  type CapabilityListing,
  decodeConfigSpace,
  describeCapabilities,
  describeRegisters,
  formatSbdf,
  type HiddenCapability,
  PciError,
  type RegisterDescription,
  type Sbdf,
} from '@xenpt/pci';
import {
  canResetFunction,
  type FunctionSummary,
  listFunctions,
  readFunctionImage,
  readFunctionSummary,
} from '@xenpt/pci/sysfs';
import { readPublishedDevices } from './device-nodes.js';
import { domainName, parseDomid } from './domains.js';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import type { Store, Sysfs } from './host.js';
import { readInUse } from './in-use.js';
import { storePath } from './paths.js';
import { requireDevice, sysfsOptions } from './pciback.js';
import { formatGuestAddress, parseBdf } from './spec.js';

const HEADER_BYTES = 64;

/**
 * Who has a function: a guest, nobody yet (assignable), the host (dom0) with or without a driver. Without Xen, or when
 * xenstore cannot be asked, a function on pciback is `unknown`.
 */
export type Owner =
  | {
      readonly kind: 'domain';
      readonly domid: number;
      readonly domainName: string;
      readonly guestSbdf: string | null;
    }
  | { readonly kind: 'assignable' }
  | { readonly kind: 'host'; readonly driver: string | null }
  | { readonly kind: 'unknown' };

export interface InventoryEntry extends FunctionSummary {
  readonly owner: Owner;
}

/** What an inventory looks at. */
export interface InventoryHost {
  readonly sysfs: Sysfs;
  /** Throws XENPT_NO_XEN where there is no xenstore; the inventory then names drivers only. */
  readonly store: Store;
}

export interface Inventory {
  readonly functions: readonly InventoryEntry[];
  /** What could not be found out, and why. */
  readonly notes: readonly string[];
}

/** Every function of this host in order of address, with its owner. Needs neither root nor Xen. */
export function listInventory(host: InventoryHost): Inventory {
  const { ownerOf, notes } = createOwners(host);
  const functions = listFunctions(sysfsOptions(host.sysfs));
  return { functions: functions.map((summary) => ({ ...summary, owner: ownerOf(summary) })), notes };
}

export interface FunctionDetails extends InventoryEntry {
  /** Header and capabilities, by offset. Empty for a bridge, and when the device does not answer. */
  readonly registers: readonly RegisterDescription[];
  /** Capabilities that a guest would not see. */
  readonly hidden: readonly HiddenCapability[];
  /** Each decoded for people, those of the extended space and those hidden from guests included. */
  readonly capabilities: CapabilityListing;
  readonly notes: readonly string[];
}

/**
 * One function with its owner and its registers.
 *
 * @throws XenOperationError XENPT_SPEC_SYNTAX, XENPT_NO_SUCH_DEVICE
 */
export function showFunction(host: InventoryHost, bdf: string): FunctionDetails {
  const sbdf = parseBdf(bdf);
  requireDevice(host.sysfs, sbdf);
  const summary = readFunctionSummary(sbdf, sysfsOptions(host.sysfs));
  const owners = createOwners(host);
  const config = readRegisters(host.sysfs, sbdf);
  return { ...summary, owner: owners.ownerOf(summary), ...config, notes: [...owners.notes, ...config.notes] };
}

function readRegisters(
  sysfs: Sysfs,
  sbdf: Sbdf,
): Pick<FunctionDetails, 'registers' | 'hidden' | 'capabilities' | 'notes'> {
  const image = readFunctionImage(sbdf, sysfsOptions(sysfs));
  const { config } = image;
  // sysfs gives everybody but root the header only.
  const notes = config.length > HEADER_BYTES ? [] : ['Only root can read the capabilities.'];
  try {
    return {
      registers: describeRegisters(config),
      hidden: decodeConfigSpace(config).hidden,
      capabilities: describeCapabilities(image, { functionReset: canResetFunction(sbdf, sysfsOptions(sysfs)) }),
      notes,
    };
  } catch (error) {
    if (!(error instanceof PciError)) throw error;
    return {
      registers: [],
      hidden: [],
      capabilities: { capabilities: [], faults: [] },
      notes: [describeError(error)],
    };
  }
}

interface Owners {
  readonly ownerOf: (summary: FunctionSummary) => Owner;
  readonly notes: readonly string[];
}

function createOwners(host: InventoryHost): Owners {
  const { store, notes } = openStore(host);
  const guests = store ? publishedOwners(store) : new Map<string, Owner>();
  const ownerOf = ({ sbdf, driver }: FunctionSummary): Owner => {
    const guest = guests.get(formatSbdf(sbdf)) ?? (store && markedOwner(store, sbdf));
    if (guest) return guest;
    if (driver !== 'pciback') return { kind: 'host', driver };
    return store ? { kind: 'assignable' } : { kind: 'unknown' };
  };
  return { ownerOf, notes };
}

function openStore(host: InventoryHost): { readonly store?: Store; readonly notes: readonly string[] } {
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
