import { basename, join } from 'node:path';

import type { DiskUse } from '../inventory/host-facts.js';
import { readLinkTarget, readNames, readOptionalText, type SysfsOptions } from './attributes.js';
import { functionOfLink } from './device-links.js';

/** A mapped device on a RAID on partitions: deeper is nothing that anybody has built. */
const layersMax = 8;
/** Linux Documentation/filesystems/proc.rst, 3.5: ids, major:minor, root, mount point, …, - type, source. */
const mount = /^\d+ \d+ (\d+:\d+) \S+ (\S+) .*? - (\S+) (\S+)/;

/** The PCI functions that the host's file systems and its swap space hang on. */
export function readDiskUses({ sysroot = '/' }: SysfsOptions): DiskUse[] {
  const uses: DiskUse[] = [];
  const add = (device: string, use: string): void => {
    for (const address of functionsOf(sysroot, device, layersMax)) {
      if (!uses.some((known) => known.address === address && known.device === device && known.use === use)) {
        uses.push({ address, device, use });
      }
    }
  };
  for (const line of readOptionalText(join(sysroot, 'proc/self/mountinfo'))?.split('\n') ?? []) {
    const [, numbers = '', point = '', , source = ''] = mount.exec(line) ?? [];
    const device = deviceName(sysroot, numbers, source);
    if (device !== null) add(device, unescape(point));
  }
  for (const line of readOptionalText(join(sysroot, 'proc/swaps'))?.split('\n').slice(1) ?? []) {
    const [path = ''] = line.split(/\s/);
    if (path.startsWith('/dev/')) add(basename(path), 'swap');
  }
  return uses;
}

/** By its numbers; a file system of several disks (btrfs) has none of a disk, but names one of them. */
function deviceName(sysroot: string, numbers: string, source: string): string | null {
  const target = /^\d+:\d+$/.test(numbers) ? readLinkTarget(join(sysroot, 'sys/dev/block', numbers)) : null;
  if (target !== null) return basename(target);
  return source.startsWith('/dev/') && !source.startsWith('/dev/loop') ? basename(source) : null;
}

function functionsOf(sysroot: string, device: string, layers: number): string[] {
  if (layers === 0 || device === '' || device.includes('/')) return [];
  const link = join(sysroot, 'sys/class/block', device);
  const address = functionOfLink(link);
  if (address !== null) return [address];
  return readNames(join(link, 'slaves')).flatMap((below) => functionsOf(sysroot, below, layers - 1));
}

/** The kernel writes blanks and line ends in octal. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
