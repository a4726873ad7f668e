import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { formatSbdf, parseSbdf, type Sbdf } from '@xenpt/pci';
import { readFunctionImage } from '@xenpt/pci/sysfs';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Sysfs } from './host.js';
import { sysfsPath } from './paths.js';

/** @throws XenOperationError XENPT_PCIBACK_MISSING when the module is not loaded. */
export function requirePciback(sysfs: Sysfs): void {
  if (existsSync(sysfs.root + sysfsPath.pciback)) return;
  throw new XenOperationError(XenErrorCode.pcibackMissing, 'the pciback driver is not loaded in dom0', {
    next: 'Run: modprobe xen-pciback',
  });
}

export function hasDevice(sysfs: Sysfs, sbdf: Sbdf): boolean {
  return existsSync(sysfs.root + sysfsPath.device(sbdf));
}

/** @throws XenOperationError XENPT_NO_SUCH_DEVICE */
export function requireDevice(sysfs: Sysfs, sbdf: Sbdf): void {
  if (hasDevice(sysfs, sbdf)) return;
  throw new XenOperationError(XenErrorCode.noSuchDevice, `there is no PCI device ${formatSbdf(sbdf)} on this host`, {
    next: 'See `xenpt list` for the devices there are.',
  });
}

/**
 * The driver that a function is bound to, as a path from the root of the tree (`/sys/bus/pci/drivers/e1000e`);
 * undefined if it has none.
 */
export function readDriverPath(sysfs: Sysfs, sbdf: Sbdf): string | undefined {
  const link = sysfs.root + sysfsPath.driverLink(sbdf);
  try {
    lstatSync(link);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
  const root = sysfs.root === '' ? '' : realpathSync(sysfs.root);
  return realpathSync(link).slice(root.length);
}

/** The tree, as the functions of `@xenpt/pci/sysfs` want it. */
export function sysfsOptions(sysfs: Sysfs): { readonly sysroot: string } {
  return { sysroot: sysfs.root === '' ? '/' : sysfs.root };
}

/** The only driver that the kernel lets bind; null if none was set (the kernel then writes `(null)`). */
export function readDriverOverride(sysfs: Sysfs, sbdf: Sbdf): string | null {
  try {
    const text = readFileSync(sysfs.root + sysfsPath.driverOverride(sbdf), 'utf8').trim();
    return text === '' || text === '(null)' ? null : text;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Configuration space: 64 bytes, or for root 256 or 4096. */
export function readConfig(sysfs: Sysfs, sbdf: Sbdf): Uint8Array {
  return readFunctionImage(sbdf, sysfsOptions(sysfs)).config;
}

export function driverName(driverPath: string): string {
  return basename(driverPath);
}

export function isOnPciback(sysfs: Sysfs, sbdf: Sbdf): boolean {
  return readDriverPath(sysfs, sbdf) === sysfsPath.pciback;
}

/** The functions that are bound to pciback, in order of address. Empty if the module is not loaded. */
export function listOnPciback(sysfs: Sysfs): Sbdf[] {
  const folder = sysfs.root + sysfsPath.pciback;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(name))
    .sort()
    .map((name) => parseSbdf(name));
}

/** Whether pciback expects the function. Adding it twice would make two entries, so ask first. */
export function hasSlot(sysfs: Sysfs, sbdf: Sbdf): boolean {
  const slots = readFileSync(sysfs.root + sysfsPath.pcibackSlots, 'utf8');
  return slots.split(/\s+/).includes(formatSbdf(sbdf));
}
