import { join } from 'node:path';

import { dmarSignatures, parseDmar } from '../acpi/dmar.js';
import { parseIvrs } from '../acpi/ivrs.js';
import { assignReservedRegions, type FirmwareTables } from '../acpi/reserved-regions.js';
import { PciError } from '../errors.js';
import { readConfigFacts } from '../inventory/config-facts.js';
import type {
  ConfigFacts,
  FunctionRecord,
  FunctionSummary,
  LinkState,
  ReservedRegion,
} from '../inventory/function-record.js';
import { accessControlGroups } from '../inventory/groups.js';
import { compareLocations, formatLocation, type Location, parseLocation } from '../inventory/location.js';
import { gradeReset } from '../inventory/reset-report.js';
import { buildTopology, type TopologyEntry } from '../inventory/topology.js';
import { exists, functionsDirectory, readBytes, readLinkTarget, type SysfsOptions, readNames } from './attributes.js';
import { readConfigBeginning } from './config-beginning.js';
import { SysfsError } from './errors.js';
import { functionNames, readIrqIfThere, summarizeDirectory } from './functions.js';
import { readDetails, readLink, readPowerState, type SysfsDetails } from './function-details.js';
import { readKernelRegions } from './kernel-regions.js';
import { loadPciIds, type PciIds } from './pci-ids.js';
import { readSlotLabels } from './slots.js';

export interface RecordOptions extends SysfsOptions {
  /**
   * For who wants to know of every function whose it is and what stands against giving it away, and no more: what the
   * rules do not need is not read. Power states are those of configuration space then, `numaNode` is -1, and `irq` is 0
   * unless some function has its line alone to be told by. Default: false.
   */
  readonly brief?: boolean;
}

export interface FunctionRecords {
  /** In order of address. */
  readonly functions: readonly FunctionRecord[];
  /** From the firmware's DMAR table; null when there is none. */
  readonly interruptRemapping: boolean | null;
  /** What could not be read, and why; one sentence each. */
  readonly notes: readonly string[];
}

/** PCI Local Bus 3.0 §6.2.1. */
const revisionOffset = 8;

/** A function before it knows its neighbours. */
interface RawFunction {
  readonly location: Location;
  readonly address: string;
  readonly link: string | null;
  readonly summary: FunctionSummary;
  readonly config: ConfigFacts;
  readonly details: SysfsDetails;
  readonly linkState: LinkState | null;
  readonly subsystemName: string | undefined;
}

/**
 * Everything that a tree tells of every function. One that is removed meanwhile is left out; one whose files cannot be
 * understood, too, with a note.
 *
 * @throws {@link SysfsError} when there is no folder of functions
 */
export function readFunctionRecords(options: RecordOptions = {}): FunctionRecords {
  const notes: string[] = [];
  const raw = readRawFunctions(options, notes);
  if (options.brief === true) readLines(raw, functionsDirectory(options));
  const neighbours = functionsByBus(raw);
  const tables = readTables(options, notes);
  const topology = buildTopology(raw.map(({ location, link, config }) => ({ location, link, buses: config.buses })));
  const parentOf = (address: string): string | null => topology.get(address)?.parent ?? null;
  const readable = raw.every(({ config }) => config.sizeBytes > 64 || config.headerType > 1 || !config.answers);
  if (!readable) {
    notes.push(
      'Only root can read capabilities: interrupts, serial numbers, isolation and part of the resets are unknown.',
    );
  }
  const isolation = raw.map(({ location, address, config }) => ({ location, parent: parentOf(address), ...config }));
  const acs = readable ? accessControlGroups(isolation) : null;
  const targets = raw.map(({ location, address, config }) => ({
    location,
    parent: parentOf(address),
    secondaryBus: config.buses?.secondary ?? null,
  }));
  const regions = assignReservedRegions(tables, targets);
  const kernelGroups = functionsByGroup(raw);
  const kernelRegions = readKernelRegions([...kernelGroups.keys()], options);
  const slots = readSlotLabels(options);
  const functions = raw.map((one) => {
    const group = one.summary.iommuGroup;
    return assemble(one, {
      topology: topology.get(one.address) ?? { parent: null, path: '' },
      neighbours: (neighbours.get(one.address.slice(0, -5)) ?? []).filter((other) => other !== one.address),
      kernelGroup: group === null ? null : (kernelGroups.get(group) ?? null),
      acsGroup: acs?.get(one.address) ?? null,
      regions: [...(regions.get(one.address) ?? []), ...(group === null ? [] : (kernelRegions.get(group) ?? []))],
      slotLabel: slots.get(one.address.slice(0, -2)) ?? one.details.label,
    });
  });
  return { functions, interruptRemapping: tables.dmar?.interruptRemapping ?? null, notes };
}

interface Surroundings {
  readonly topology: TopologyEntry;
  readonly neighbours: readonly string[];
  readonly kernelGroup: readonly string[] | null;
  readonly acsGroup: readonly string[] | null;
  readonly regions: readonly ReservedRegion[];
  readonly slotLabel: string | null;
}

function assemble(raw: RawFunction, around: Surroundings): FunctionRecord {
  const { summary, config, details, address, subsystemName } = raw;
  const { vendorId, deviceId, subsystemVendorId, subsystemDeviceId, classCode } = summary;
  const { topology, neighbours } = around;
  // The summary is nobody else's: a thousand copies of it would cost as much as half of the reading.
  return Object.assign(summary, {
    address,
    identity: {
      path: topology.path,
      ...{ vendorId, deviceId, subsystemVendorId, subsystemDeviceId, classCode },
      serialNumber: config.serialNumber,
      slotLabel: around.slotLabel,
    },
    parent: topology.parent,
    subsystemName: subsystemName ?? null,
    driverOverride: details.driverOverride,
    bootDisplay: details.bootDisplay,
    config,
    interrupts: config.interrupts,
    link: raw.linkState,
    powerState: details.powerState ?? config.powerState,
    virtualFunctions: details.virtualFunctions,
    reset: gradeReset({
      methods: summary.resetMethods,
      hasReset: summary.hasReset,
      config,
      busNeighbours: topology.parent === null ? [] : neighbours,
    }),
    groups: { kernel: around.kernelGroup, acs: around.acsGroup, xen: null },
    reservedRegions: unique(around.regions),
  });
}

function readRawFunctions(options: RecordOptions, notes: string[]): RawFunction[] {
  const names = loadPciIds(options);
  const { brief = false } = options;
  const folder = functionsDirectory(options);
  const locations = functionNames(options)
    .map((name) => parseLocation(name))
    .filter((location) => location !== null)
    .sort(compareLocations);
  return locations.flatMap((location) => {
    try {
      return [readRaw(location, folder, { names, brief })];
    } catch (error) {
      if (!(error instanceof SysfsError)) throw error;
      const address = formatLocation(location);
      const isGone = !exists(`${folder}/${address}`);
      if (!isGone) notes.push(`${address} is left out: ${error.message}`);
      return [];
    }
  });
}

interface ReadingOptions {
  readonly names: PciIds;
  readonly brief: boolean;
}

function readRaw(location: Location, folder: string, { names, brief }: ReadingOptions): RawFunction {
  const address = formatLocation(location);
  const directory = `${folder}/${address}`;
  const entries = new Set(readNames(directory));
  // Before configuration space is read, which wakes a device from D3cold.
  const details = readDetails(directory, entries, brief);
  const { bytes, sizeBytes } = readConfigBeginning(`${directory}/config`);
  const config = readConfigFacts(bytes, sizeBytes);
  // Whether it sleeps is why it does not answer, or is not.
  const asleep = brief && !config.answers ? readPowerState(directory, entries) : details.powerState;
  // The kernel has a virtual function's from its physical one.
  const revision = config.answers && !entries.has('physfn') ? bytes[revisionOffset] : undefined;
  const summary = summarizeDirectory(location, directory, names, { entries, revision, brief });
  return {
    location,
    address,
    link: readLinkTarget(directory),
    summary,
    config,
    details: asleep === details.powerState ? details : { ...details, powerState: asleep },
    linkState: config.expressType === null ? readLink(directory, entries) : config.link,
    subsystemName: names.subsystemName(summary),
  };
}

/** Interrupt lines as far as a rule asks for them: of who has nothing else, and then of everybody. */
function readLines(raw: readonly RawFunction[], folder: string): void {
  const read = ({ address, summary }: RawFunction): number => {
    const irq = readIrqIfThere(`${folder}/${address}`);
    if (irq !== 0) Object.assign(summary, { irq });
    return irq;
  };
  const hasLineOnly = ({ config: { interrupts, sizeBytes } }: RawFunction): boolean =>
    interrupts.msi === null && interrupts.msix === null && sizeBytes > 64;
  const lines = raw.filter(hasLineOnly).map(read);
  if (lines.some((irq) => irq !== 0)) raw.filter((one) => !hasLineOnly(one)).forEach(read);
}

function functionsByBus(raw: readonly RawFunction[]): ReadonlyMap<string, readonly string[]> {
  const buses = new Map<string, string[]>();
  for (const { address } of raw) {
    const bus = address.slice(0, -5);
    const known = buses.get(bus);
    if (known === undefined) buses.set(bus, [address]);
    else known.push(address);
  }
  return buses;
}

function functionsByGroup(raw: readonly RawFunction[]): ReadonlyMap<number, readonly string[]> {
  const groups = new Map<number, string[]>();
  for (const { address, summary } of raw) {
    if (summary.iommuGroup === null) continue;
    const known = groups.get(summary.iommuGroup);
    if (known === undefined) groups.set(summary.iommuGroup, [address]);
    else known.push(address);
  }
  return groups;
}

/** A broken table costs its regions, not the inventory. */
function readTables({ sysroot = '/' }: SysfsOptions, notes: string[]): FirmwareTables {
  const read = <T>(names: readonly string[], parse: (bytes: Uint8Array) => T): T | null => {
    for (const name of names) {
      const path = join(sysroot, 'sys/firmware/acpi/tables', name);
      if (!exists(path)) continue;
      try {
        return parse(readBytes(path));
      } catch (error) {
        if (!(error instanceof PciError)) throw error;
        notes.push(`Reserved memory of ${name} is unknown: ${error.message}`);
      }
    }
    return null;
  };
  return { dmar: read(dmarSignatures, parseDmar), ivrs: read(['IVRS'], parseIvrs) };
}

function unique(regions: readonly ReservedRegion[]): ReservedRegion[] {
  const known = new Set<string>();
  return regions.filter(({ start, end }) => {
    const key = `${start}-${end}`;
    return !known.has(key) && known.add(key);
  });
}
