import { join } from 'node:path';

import { type SysfsOptions, readOptionalText } from './attributes.js';

/** Names of vendors and devices, as far as they are known. */
export interface PciIds {
  vendorName(vendorId: number): string | undefined;
  deviceName(vendorId: number, deviceId: number): string | undefined;
  /** Of a board: its own name, else its vendor's. */
  subsystemName(ids: SubsystemIds): string | undefined;
}

export interface SubsystemIds {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
}

/** Where Debian and Fedora install pci.ids (https://pci-ids.ucw.cz). */
export const pciIdsLocations = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids'] as const;

/** Names from the host's pci.ids; where there is none, or where none are wanted, no names. */
export function loadPciIds({ sysroot = '/', names = true }: SysfsOptions = {}): PciIds {
  if (!names) return parsePciIds('');
  for (const location of pciIdsLocations) {
    const text = readOptionalText(join(sysroot, location));
    if (text !== null) return parsePciIds(text, (name) => Buffer.from(name, 'latin1').toString('utf8'));
  }
  return parsePciIds('');
}

/**
 * Looks names up in the format of pci.ids. Only the vendors that are asked for are read: the file has 38,000 lines, and
 * a host a dozen vendors.
 *
 *     8086  Intel Corporation
 *     <tab>10d3  82574L Gigabit Network Connection
 *     <tab><tab>8086 a01f  Gigabit CT Desktop Adapter
 *     C 02  Network controller                              (classes: from here on nothing is a vendor)
 *
 * @param decode for a text that was read as bytes
 */
export function parsePciIds(text: string, decode: (name: string) => string = (name) => name): PciIds {
  // A line end before the first line, so that every line is found by what stands before it.
  const classes = text.indexOf('\nC ');
  const vendors = `\n${classes === -1 ? text : text.slice(0, classes)}\n`;
  const blocks = new Map<number, string>();
  const blockOf = (vendorId: number): string => {
    const known = blocks.get(vendorId);
    if (known !== undefined) return known;
    const block = cut(vendors, `\n${hex(vendorId)}  `, /\n[^\t#\n]/g);
    blocks.set(vendorId, block);
    return block;
  };
  const devices = new Map<number, string>();
  const deviceBlock = (vendorId: number, deviceId: number): string => {
    const key = vendorId * 0x1_0000 + deviceId;
    const known = devices.get(key) ?? cut(blockOf(vendorId), `\n\t${hex(deviceId)}  `, /\n\t?[^\t#\n]/g);
    devices.set(key, known);
    return known;
  };
  const vendorName = (vendorId: number): string | undefined => nameOf(blockOf(vendorId), decode);
  return {
    vendorName,
    deviceName: (vendorId, deviceId) => nameOf(deviceBlock(vendorId, deviceId), decode),
    subsystemName: ({ vendorId, deviceId, subsystemVendorId, subsystemDeviceId }) => {
      const board = `\n\t\t${hex(subsystemVendorId)} ${hex(subsystemDeviceId)}  `;
      return nameOf(cut(deviceBlock(vendorId, deviceId), board, /\n/g), decode) ?? vendorName(subsystemVendorId);
    },
  };
}

function hex(id: number): string {
  return id.toString(16).padStart(4, '0');
}

/** What follows `start` up to the next line that `end` matches; the last line end is kept. Empty: not there. */
function cut(text: string, start: string, end: RegExp): string {
  const found = text.indexOf(start);
  if (found === -1) return '';
  const from = found + start.length;
  end.lastIndex = from;
  const next = end.exec(text);
  return `${text.slice(from, next === null ? text.length : next.index)}\n`;
}

function nameOf(block: string, decode: (name: string) => string): string | undefined {
  const name = block.slice(0, Math.max(0, block.indexOf('\n'))).trim();
  return name === '' ? undefined : decode(name);
}
