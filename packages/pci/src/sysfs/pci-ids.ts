import { join } from 'node:path';

import { type SysfsOptions, readOptionalText } from './attributes.js';

/** Names of vendors and devices, as far as they are known. */
export interface PciIds {
  vendorName(vendorId: number): string | undefined;
  deviceName(vendorId: number, deviceId: number): string | undefined;
}

/** Where Debian and Fedora install pci.ids (https://pci-ids.ucw.cz). */
const locations = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids'] as const;

/** Names from the host's pci.ids; where there is none, no names. */
export function loadPciIds({ sysroot = '/' }: SysfsOptions = {}): PciIds {
  for (const location of locations) {
    const text = readOptionalText(join(sysroot, location));
    if (text !== null) return parsePciIds(Buffer.from(text, 'latin1').toString('utf8'));
  }
  return parsePciIds('');
}

/**
 * Reads the format of pci.ids; lines that are neither vendor nor device are skipped.
 *
 *     8086  Intel Corporation
 *     <tab>10d3  82574L Gigabit Network Connection
 *     <tab><tab>8086 a01f  Gigabit CT Desktop Adapter       (subsystem: not needed)
 *     C 02  Network controller                              (classes: from here on nothing is a vendor)
 */
export function parsePciIds(text: string): PciIds {
  const vendors = new Map<number, string>();
  const devices = new Map<number, string>();
  let vendorId: number | undefined;
  for (const line of text.split('\n')) {
    const entry = /^(\t?)([0-9a-f]{4}) {2}(.+)$/.exec(line);
    if (entry === null) {
      if (line.startsWith('C ')) break;
      continue;
    }
    const [, indent, digits = '', name = ''] = entry;
    const id = Number.parseInt(digits, 16);
    if (indent === '') {
      vendorId = id;
      vendors.set(id, name.trim());
    } else if (vendorId !== undefined) {
      devices.set(deviceKey(vendorId, id), name.trim());
    }
  }
  return {
    vendorName: (vendor) => vendors.get(vendor),
    deviceName: (vendor, device) => devices.get(deviceKey(vendor, device)),
  };
}

function deviceKey(vendorId: number, deviceId: number): number {
  return vendorId * 0x1_0000 + deviceId;
}
