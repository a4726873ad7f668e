import {
  type CapabilityListing,
  decodeConfigSpace,
  describeCapabilities,
  describeRegisters,
  evaluate,
  type Finding,
  formatSbdf,
  type FunctionRecord,
  type FunctionSummary,
  type FunctionVerdict,
  guestInterruptBudget,
  type HiddenCapability,
  type HostFacts,
  messageVectors,
  type OwnedFunction,
  type Owner,
  PciError,
  type RegisterDescription,
  type Sbdf,
  type Verdict,
} from '@xenpt/pci';
import {
  canResetFunction,
  readFunctionImage,
  readFunctionRecords,
  readFunctionSummary,
  readHostFacts,
  type RecordOptions,
} from '@xenpt/pci/sysfs';
import { expectedDevices, readAssignments } from './assignments.js';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import type { Sysfs } from './host.js';
import { requireDevice, sysfsOptions } from './pciback.js';
import { parseBdf } from './spec.js';
import { readXenView, type XenView, type XenViewHost } from './xen-view.js';

const HEADER_BYTES = 64;

export type { Owner };

/** A function with its owner, and whether it can be given away. */
export interface InventoryEntry extends OwnedFunction {
  readonly verdict: Verdict;
  /** The reasons, and what else is to be known. */
  readonly findings: readonly Finding[];
  readonly interruptBudget: InterruptBudget;
}

/** What the function may want of the pirqs that a guest has for all its devices. */
export interface InterruptBudget {
  readonly vectors: number;
  readonly budget: number;
  /** Where the budget is from. */
  readonly source: string;
}

/** What an inventory looks at. Without Xen it names drivers only. */
export type InventoryHost = XenViewHost;

export interface Inventory {
  readonly functions: readonly InventoryEntry[];
  readonly host: HostFacts;
  /** Of functions, host and guests, what hurts most first. */
  readonly findings: readonly Finding[];
  /** What could not be found out, and why. */
  readonly notes: readonly string[];
}

export interface InventoryOptions extends Pick<RecordOptions, 'brief'> {
  /** false: without the names of vendors and devices. */
  readonly names?: boolean;
}

/**
 * Every function of this host in order of address, with its owner and its verdict. Needs neither root nor Xen.
 *
 * @param wanted `brief`: see `RecordOptions` of `@xenpt/pci/sysfs`; verdicts are the same, other facts are fewer
 */
export function listInventory(host: InventoryHost, wanted: InventoryOptions = {}): Inventory {
  const { names = true, brief = false } = wanted;
  const options = { ...sysfsOptions(host.sysfs), names };
  const records = readFunctionRecords({ ...options, brief });
  const facts = readHostFacts(options);
  const view = readXenView(host, records.functions);
  const functions = records.functions.map((record) => ownedFunction(record, view, facts.guestConfigs));
  const kept = readKept(host.sysfs);
  const known: HostFacts = {
    ...facts,
    expectedDevices: kept.devices,
    xen: view.facts ?? facts.xen,
    iommu: view.facts?.directIo ?? facts.iommu,
    interruptRemapping: records.interruptRemapping,
  };
  const budget = guestInterruptBudget(known.xen?.commandLine ?? null);
  const byAddress = new Map(functions.map((fn) => [fn.address, fn]));
  const evaluation = evaluate({ functions, byAddress, host: known });
  return {
    functions: functions.map((fn) =>
      Object.assign(fn, judged(evaluation.functions.get(fn.address)), {
        interruptBudget: { vectors: messageVectors(fn), ...budget },
      }),
    ),
    host: known,
    get findings() {
      return evaluation.findings;
    },
    notes: [...view.notes, ...records.notes, ...kept.notes],
  };
}

/** A file that cannot be read costs what it says, not the inventory. */
function readKept(sysfs: Sysfs): {
  readonly devices: HostFacts['expectedDevices'];
  readonly notes: readonly string[];
} {
  try {
    return { devices: expectedDevices(readAssignments(sysfs)), notes: [] };
  } catch (error) {
    if (!(error instanceof XenOperationError)) throw error;
    return { devices: [], notes: [`Which devices are kept assignable is unknown: ${error.message}.`] };
  }
}

function judged(verdict: FunctionVerdict | undefined): FunctionVerdict {
  return verdict ?? { verdict: 'not-assignable', findings: [] };
}

function ownedFunction(record: FunctionRecord, view: XenView, configs: HostFacts['guestConfigs']): OwnedFunction {
  const { address, reservedRegions } = record;
  const wantedBy = configs
    .filter(({ devices }) => devices.some(({ addresses }) => addresses.includes(address)))
    .map(({ name }) => name);
  const known = new Set(reservedRegions.map(({ start }) => start));
  const fromXen = (view.reserved.get(address) ?? []).filter(({ start }) => !known.has(start));
  const owner: Owner = view.owners.get(address) ?? { kind: 'host', driver: record.driver };
  // The record was read for this inventory alone.
  return Object.assign(record, {
    groups: { ...record.groups, xen: view.groups.get(address) ?? null },
    reservedRegions: fromXen.length === 0 ? reservedRegions : [...reservedRegions, ...fromXen],
    owner,
    wantedBy,
  });
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
  const inventory = listInventory(host);
  const found = inventory.functions.find(({ address }) => address === formatSbdf(sbdf));
  // Its files make no sense: reading it alone says what is wrong.
  if (found === undefined) throw unreadable(readFunctionSummary(sbdf, sysfsOptions(host.sysfs)));
  const config = readRegisters(host.sysfs, sbdf);
  return { ...found, ...config, notes: [...new Set([...inventory.notes, ...config.notes])] };
}

function unreadable({ sbdf }: FunctionSummary): XenOperationError {
  return new XenOperationError(XenErrorCode.noSuchDevice, `${formatSbdf(sbdf)} was removed just now`, {
    next: 'See `xenpt list` for the devices there are.',
  });
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
