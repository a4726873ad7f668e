import { join } from 'node:path';

import { PciError } from '../errors.js';
import {
  type FunctionAddress,
  parseXlConfig,
  readPciDevices,
  readXlScalar,
  type XlConfig,
  type XlPciDevice,
} from '../grammar/index.js';
import type { GuestConfig, GuestConfigDevice } from '../inventory/host-facts.js';
import { formatLocation } from '../inventory/location.js';
import { functionsDirectory, readNames, readOptionalText, type SysfsOptions } from './attributes.js';
import { SysfsError } from './errors.js';

/** xl.cfg(5): where `xl create` is run by hand, and where xendomains looks. */
const folders = ['etc/xen', 'etc/xen/auto'] as const;
/** Of a file that somebody put there by mistake no more is read. */
const fileCharactersMax = 1 << 20;
const functionCount = 8;

type Facts = Omit<GuestConfig, 'path' | 'fault'>;

/** Every guest's configuration, by path. One that cannot be read has its fault. */
export function readGuestConfigs(options: SysfsOptions): GuestConfig[] {
  const { sysroot = '/' } = options;
  const present = new Set(readNames(functionsDirectory(options)));
  const configs = new Map<string, GuestConfig>();
  for (const folder of folders) {
    for (const file of readNames(join(sysroot, folder)).sort()) {
      if (!file.endsWith('.cfg')) continue;
      const path = `/${folder}/${file}`;
      const config = readConfig(join(sysroot, path), path, present);
      // A link in auto/ to the file above is the same guest.
      if (config !== null && !configs.has(file)) configs.set(file, config);
    }
  }
  return [...configs.values()];
}

function readConfig(file: string, path: string, present: ReadonlySet<string>): GuestConfig | null {
  const name = path.slice(path.lastIndexOf('/') + 1, -'.cfg'.length);
  const broken = (fault: string): GuestConfig => ({ ...empty(name), path, fault });
  try {
    const text = readOptionalText(file);
    if (text === null) return null;
    if (text.length > fileCharactersMax) return broken(`${path} has ${text.length} bytes; no configuration has`);
    return { ...readFacts(parseXlConfig(text), name, present), path, fault: null };
  } catch (error) {
    if (error instanceof SysfsError) return broken(`${path} cannot be read: ${error.message}`);
    if (error instanceof PciError) return broken(`${path}: ${error.message}`);
    throw error;
  }
}

function empty(name: string): Facts {
  const nothing = { memoryMib: null, maxMemoryMib: null, mmioHoleMib: null, reservedMemory: null };
  return { name, type: 'hvm', ...nothing, devices: [] };
}

function readFacts(config: XlConfig, fileName: string, present: ReadonlySet<string>): Facts {
  const text = (name: string): string | null => readXlScalar(config, name)?.toString() ?? null;
  const number = (name: string): number | null => {
    const value = Number(readXlScalar(config, name) ?? Number.NaN);
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  };
  return {
    name: text('name') ?? fileName,
    type: readType(text('type') ?? text('builder')),
    memoryMib: number('memory'),
    maxMemoryMib: number('maxmem'),
    mmioHoleMib: number('mmio_hole'),
    reservedMemory: text('rdm'),
    devices: readPciDevices(config).map((entry) => toDevice(entry, present)),
  };
}

/** xl.cfg(5): PV is the default of `type`, and of the older `builder`. */
function readType(text: string | null): GuestConfig['type'] {
  return text === 'hvm' || text === 'pvh' ? text : 'pv';
}

function toDevice({ written, device }: XlPciDevice, present: ReadonlySet<string>): GuestConfigDevice {
  const { address, options } = device;
  return {
    text: written,
    addresses: address === undefined ? [] : addressesOf(address, present),
    seize: options.seize === true,
    reservedMemoryPolicy: options.rdm_policy === 'relaxed' ? 'relaxed' : 'strict',
  };
}

/** All functions of a device are those that are there; none is there: the first, which is then missed by name. */
function addressesOf({ function: fn, ...place }: FunctionAddress, present: ReadonlySet<string>): string[] {
  if (fn !== '*') return [formatLocation({ ...place, function: fn })];
  const all = Array.from({ length: functionCount }, (_, index) => formatLocation({ ...place, function: index }));
  const there = all.filter((address) => present.has(address));
  return there.length > 0 ? there : all.slice(0, 1);
}
