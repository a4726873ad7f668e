import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { className } from '../class-code.js';
import type { FunctionSummary } from '../inventory/function-record.js';
import type { FunctionImage, Resource } from '../resource.js';
import { type Sbdf, compareSbdf, parseSbdf } from '../sbdf.js';
import {
  type SysfsOptions,
  functionDirectory,
  functionsDirectory,
  parseDecimal,
  readBytes,
  readHex,
  readLinkName,
  readNames,
  readOptionalAttribute,
  readText,
} from './attributes.js';
import { isAbsent, SysfsError, malformed, sysfsFailure } from './errors.js';
import { type PciIds, loadPciIds } from './pci-ids.js';
import { parseResources } from './resources.js';
import { readKernelIds } from './kernel-ids.js';

export type { FunctionSummary };

/**
 * Every function of the host, sorted by address. One that is removed meanwhile is left out; so is one in a
 * segment above 0xffff (Intel VMD), which no PCI address of 32 bits can name.
 *
 * @throws {@link SysfsError}
 */
export function listFunctions(options: SysfsOptions = {}): FunctionSummary[] {
  const names = loadPciIds(options);
  return functionNames(options)
    .filter((name) => /^[0-9a-f]{4}:/.test(name))
    .map((name) => parseSbdf(name))
    .sort(compareSbdf)
    .map((sbdf) => summaryUnlessRemoved(sbdf, options, names))
    .filter((summary) => summary !== null);
}

/** Where the memory and ports of every function are; for who asks for nothing else. As {@link listFunctions}. */
export function listResources(options: SysfsOptions = {}): Pick<FunctionSummary, 'sbdf' | 'resources'>[] {
  return functionNames(options)
    .filter((name) => /^[0-9a-f]{4}:/.test(name))
    .map((name) => parseSbdf(name))
    .sort(compareSbdf)
    .flatMap((sbdf) => {
      try {
        return [{ sbdf, resources: readResources(functionDirectory(sbdf, options)) }];
      } catch (error) {
        if (error instanceof SysfsError && error.code === 'SYSFS_FUNCTION_NOT_FOUND') return [];
        throw error;
      }
    });
}

/**
 * One function.
 *
 * @throws {@link SysfsError} `SYSFS_FUNCTION_NOT_FOUND` when the host does not have it
 */
export function readFunctionSummary(sbdf: Sbdf, options: SysfsOptions = {}): FunctionSummary {
  return summarizeDirectory(sbdf, functionDirectory(sbdf, options), loadPciIds(options));
}

/**
 * Everything about a function that a guest's view is made of. Run as root: others get 64 bytes, without capabilities.
 *
 * @throws {@link SysfsError}
 */
export function readFunctionImage(sbdf: Sbdf, options: SysfsOptions = {}): FunctionImage {
  const directory = functionDirectory(sbdf, options);
  const vendorId = readHex(join(directory, 'vendor'), 4);
  const configPath = join(directory, 'config');
  const config = new Uint8Array(readBytes(configPath));
  if (![64, 256, 4096].includes(config.length)) {
    throw malformed(configPath, `${config.length} bytes, expected 64, 256 or 4096`);
  }
  return {
    sbdf,
    config,
    resources: readResources(directory),
    irq: readIrq(directory),
    vendorId,
    deviceId: readHex(join(directory, 'device'), 4),
  };
}

/** Names in the folder of functions, whatever they are. */
export function functionNames(options: SysfsOptions): string[] {
  const directory = functionsDirectory(options);
  try {
    return readdirSync(directory);
  } catch (cause) {
    if (!isAbsent(cause)) throw sysfsFailure(directory, 'read', cause);
    throw new SysfsError('SYSFS_FUNCTION_NOT_FOUND', directory, {
      problem: `${directory} is not there: this is neither a host with PCI nor a captured tree.`,
      nextStep: 'Give the folder that has `sys` in it, or an archive of `xenpt bundle`.',
      cause,
    });
  }
}

function summaryUnlessRemoved(sbdf: Sbdf, options: SysfsOptions, names: PciIds): FunctionSummary | null {
  try {
    return summarizeDirectory(sbdf, functionDirectory(sbdf, options), names);
  } catch (error) {
    if (error instanceof SysfsError && error.code === 'SYSFS_FUNCTION_NOT_FOUND') return null;
    throw error;
  }
}

/** What is known of a function before its summary is made. */
export interface KnownBefore {
  readonly entries: ReadonlySet<string>;
  /** From configuration space; left out: its file is read. */
  readonly revision?: number | undefined;
  /** Leaves out the interrupt line and the NUMA node. */
  readonly brief?: boolean;
}

/** The function whose files are in `directory`. */
export function summarizeDirectory(
  sbdf: Sbdf,
  directory: string,
  names: PciIds,
  { entries, revision, brief = false }: KnownBefore = { entries: new Set(readNames(directory)) },
): FunctionSummary {
  const at = (name: string): string => `${directory}/${name}`;
  // What most functions do not have is not asked for: a failing call costs more than all the others.
  const optional = (name: string, otherwise: string): string =>
    (entries.has(name) ? readOptionalAttribute(at(name)) : null) ?? otherwise;
  const ids = readKernelIds(directory, entries);
  const { vendorId, deviceId, classCode } = ids;
  const vendorName = names.vendorName(vendorId);
  const deviceName = names.deviceName(vendorId, deviceId);
  return {
    sbdf,
    ...ids,
    className: className(classCode),
    revision: revision ?? readHex(at('revision'), 2),
    irq: brief ? 0 : readIrq(directory),
    numaNode: brief ? -1 : parseDecimal(at('numa_node'), optional('numa_node', '-1\n')),
    iommuGroup: entries.has('iommu_group') ? readIommuGroup(at('iommu_group')) : null,
    resources: readResources(directory),
    resetMethods: optional('reset_method', '')
      .split(/\s+/)
      .filter((method) => method !== ''),
    hasReset: entries.has('reset'),
    isVirtualFunction: entries.has('physfn'),
    ...(vendorName === undefined ? {} : { vendorName }),
    ...(deviceName === undefined ? {} : { deviceName }),
  };
}

function readResources(directory: string): Resource[] {
  const path = `${directory}/resource`;
  return parseResources(path, readText(path));
}

/** PCI Local Bus 3.0 §6.2.4: on a PC, line 255 means unknown or not connected. */
const notConnected = 255;

function readIrq(directory: string): number {
  const path = `${directory}/irq`;
  const irq = parseDecimal(path, readText(path));
  return irq < 0 || irq > 0x7fff_ffff || irq === notConnected ? 0 : irq;
}

/** Of a function that may be gone, or whose file makes no sense: 0 then. */
export function readIrqIfThere(directory: string): number {
  try {
    return readIrq(directory);
  } catch (error) {
    if (error instanceof SysfsError) return 0;
    throw error;
  }
}

function readIommuGroup(path: string): number | null {
  const name = readLinkName(path);
  return name === null ? null : parseDecimal(path, `${name}\n`);
}
