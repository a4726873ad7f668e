import { readFileSync, readlinkSync } from 'node:fs';
import { join, normalize } from 'node:path';

import { dmarSignatures } from '../acpi/dmar.js';
import type { TreeEntry } from './archive.js';
import { exists, readNames, type SysfsOptions } from './attributes.js';
import { functionOfLink } from './device-links.js';
import { pciIdsLocations } from './pci-ids.js';
import {
  redactCommandLine,
  redactConfig,
  redactGuestConfig,
  redactHide,
  redactMounts,
  redactRoutes,
  redactSerialNumbers,
} from './redact.js';

const functionFiles: readonly string[] = [
  ...[
    'vendor',
    'device',
    'subsystem_vendor',
    'subsystem_device',
    'class',
    'revision',
    'irq',
    'numa_node',
    'resource',
  ],
  ...['reset_method', 'power_state', 'label', 'driver_override', 'boot_vga', 'sriov_totalvfs', 'sriov_numvfs'],
  ...['current_link_speed', 'current_link_width', 'max_link_speed', 'max_link_width'],
];
const groupsFolder = 'sys/kernel/iommu_groups';
const functionLinks = /^(driver|iommu_group|physfn|virtfn[0-9]+)$/;
const plainFiles: readonly string[] = [
  ...['proc/xen/capabilities', 'sys/hypervisor/type', 'sys/kernel/security/lockdown'],
  ...['major', 'minor', 'extra'].map((part) => `sys/hypervisor/version/${part}`),
  ...[...dmarSignatures, 'IVRS'].map((name) => `sys/firmware/acpi/tables/${name}`),
  'proc/swaps',
];

/**
 * Everything of a host that the inventory reads, without what nobody else has to know: serial numbers, addresses, names
 * of guests and folders, and every setting that has nothing to do with devices.
 *
 * @param guestNames gives each name of a guest another, always the same
 */
export function captureTree(options: SysfsOptions, guestNames: (name: string) => string): TreeEntry[] {
  const { sysroot = '/' } = options;
  const entries: TreeEntry[] = [];
  const file = (path: string, redact: (content: Buffer) => Uint8Array | string = (content) => content): void => {
    const content = readIfPossible(join(sysroot, path));
    if (content !== null) entries.push({ path, content: Buffer.from(redact(content)) });
  };
  const link = (path: string, target = linkTarget(join(sysroot, path))): void => {
    if (target !== null && !target.startsWith('/')) entries.push({ path, target });
  };
  for (const address of readNames(join(sysroot, 'sys/bus/pci/devices'))) {
    captureFunction(sysroot, address, entries, { file, link });
  }
  for (const path of plainFiles) file(path);
  file('proc/cmdline', (content) => redactCommandLine(content.toString('latin1')));
  file('proc/self/mountinfo', (content) => redactMounts(content.toString('latin1')));
  for (const name of ['route', 'ipv6_route']) {
    file(`proc/net/${name}`, (content) => redactRoutes(content.toString('latin1')));
  }
  for (const slot of readNames(join(sysroot, 'sys/bus/pci/slots'))) file(`sys/bus/pci/slots/${slot}/address`);
  // An archive has no empty folders, and which groups there are says whether an IOMMU is at work.
  const keep = (folder: string): void => void entries.push({ path: `${folder}/.kept`, content: new Uint8Array() });
  if (exists(join(sysroot, groupsFolder))) keep(groupsFolder);
  for (const group of readNames(join(sysroot, groupsFolder))) {
    keep(`${groupsFolder}/${group}`);
    file(`${groupsFolder}/${group}/reserved_regions`);
  }
  if (readNames(join(sysroot, 'sys/bus/pci/drivers')).includes('pciback')) file('sys/bus/pci/drivers/pciback/slots');
  captureVirtual(sysroot, link, entries);
  for (const name of readNames(join(sysroot, 'etc/modprobe.d'))) {
    if (name.endsWith('.conf')) file(`etc/modprobe.d/${name}`, (content) => redactHide(content.toString('utf8')));
  }
  file('etc/xenpt/assignments.json', (content) => redactSerialNumbers(content.toString('utf8')));
  let number = 0;
  for (const folder of ['etc/xen', 'etc/xen/auto']) {
    for (const name of readNames(join(sysroot, folder)).filter((one) => one.endsWith('.cfg'))) {
      const content = readIfPossible(join(sysroot, folder, name));
      if (content === null) continue;
      number += 1;
      const text = redactGuestConfig(content.toString('utf8'), guestNames);
      entries.push({ path: `${folder}/config${number}.cfg`, content: Buffer.from(text) });
    }
  }
  for (const path of pciIdsLocations) file(path);
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

type AddFile = (path: string, redact?: (content: Buffer) => Uint8Array) => void;
type AddLink = (path: string, target?: string | null) => void;

/** The real folder once, where sysfs has it, and the link to it. */
function captureFunction(
  sysroot: string,
  address: string,
  entries: TreeEntry[],
  { file, link }: { readonly file: AddFile; readonly link: AddLink },
): void {
  const entry = `sys/bus/pci/devices/${address}`;
  const target = linkTarget(join(sysroot, entry));
  const folder = target === null ? entry : normalize(join('sys/bus/pci/devices', target));
  if (target !== null) link(entry, target);
  const names = new Set(readNames(join(sysroot, entry)));
  for (const name of functionFiles) if (names.has(name)) file(`${folder}/${name}`);
  if (names.has('reset')) entries.push({ path: `${folder}/reset`, content: new Uint8Array() });
  file(`${folder}/config`, redactConfig);
  for (const name of names) if (functionLinks.test(name)) link(`${folder}/${name}`);
}

/** Which function a disk or a network card is on, and what stacks on what. */
function captureVirtual(sysroot: string, link: AddLink, entries: TreeEntry[]): void {
  for (const folder of ['sys/class/block', 'sys/class/net', 'sys/dev/block']) {
    for (const name of readNames(join(sysroot, folder))) link(`${folder}/${name}`);
  }
  const stacks = [
    ['sys/class/block', 'slaves'],
    ['sys/class/net', 'brif'],
  ] as const;
  for (const [folder, inner] of stacks) {
    for (const name of readNames(join(sysroot, folder))) {
      const target = linkTarget(join(sysroot, folder, name));
      if (target === null || functionOfLink(join(sysroot, folder, name)) !== null) continue;
      const real = normalize(join(folder, target));
      const lower = readNames(join(sysroot, real)).filter((entry) => entry.startsWith('lower_'));
      const below = readNames(join(sysroot, real, inner)).map((port) => `${inner}/${port}`);
      for (const path of [...lower, ...below]) entries.push({ path: `${real}/${path}`, content: new Uint8Array() });
    }
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** A file that only root reads, or that is none, is left out. */
function readIfPossible(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
