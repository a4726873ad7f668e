import { readLittleEndian } from '../config-space/access.js';
import { extendedStart, maxExtendedCapabilities } from '../config-space/extended.js';
import { deviceSerialNumber } from '../capabilities/extended/device-serial-number.js';

/** What the rules look at; everything else may be a secret. */
const keptNames =
  'xen[-_]pciback|vfio[-_]pci|pcie?|iommu|(intel|amd)_iommu|lockdown|(module_|modprobe\\.)blacklist|xen';
const keptOptions = new RegExp(`^"?((${keptNames})([.=_]\\S*)?|ro|rw|quiet|nomodeset)"?$`);
const keptSettings: readonly string[] = ['name', 'type', 'builder', 'memory', 'maxmem', 'mmio_hole', 'rdm', 'pci'];

/** Of the kernel's command line, the options that have to do with devices. What follows `--` is for init. */
export function redactCommandLine(text: string): string {
  const words = text.trim().split(/\s+/);
  const end = words.indexOf('--');
  const ours = end === -1 ? words : words.slice(0, end);
  return `${ours.filter((word) => keptOptions.test(word)).join(' ')}\n`;
}

/** Numbers and the first part of each mount point, with which a disk is found. */
export function redactMounts(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const [, start = '', point = '', rest = ''] =
      /^(\d+ \d+ \d+:\d+ )\S+ (\/[^/\s]*)\S* .*? (- \S+) /.exec(line) ?? [];
    return start === '' ? [] : [`${start}/ ${point} rw ${rest} none rw`];
  });
  return `${lines.join('\n')}\n`;
}

/** The default routes, without the gateway's address. */
export function redactRoutes(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^Iface|^\S+\t00000000\t|^0{32} 00 /.test(line))
    .map((line) => line.replace(/^(\S+\t00000000\t)[0-9A-F]{8}/, '$101000000'))
    .map((line) => line.replace(/^(0{32} 00 \S+ \S+) (?!0{32})\S{32}/, `$1 ${'0'.repeat(31)}1`))
    .join('\n');
}

/** Of files for modprobe, the lines about pciback. */
export function redactHide(text: string): string {
  return text
    .split('\n')
    .filter((line) => /xen[-_]pciback/.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

/** A card's serial number, often its network address, as zeros. */
export function redactConfig(config: Uint8Array): Uint8Array {
  const redacted = config.slice();
  let pointer = config.length > extendedStart ? extendedStart : 0;
  for (let count = 0; pointer >= extendedStart && count < maxExtendedCapabilities; count += 1) {
    const head = readLittleEndian(config, pointer, 4);
    if (head === 0 || head === 0xffff_ffff) break;
    if ((head & 0xffff) === deviceSerialNumber.id) redacted.fill(0, pointer + 4, pointer + 12);
    pointer = (head >>> 20) & 0xffc;
  }
  return redacted;
}

/** Of a guest's configuration, the settings that placement and passthrough depend on. Their lines keep their places. */
export function redactGuestConfig(text: string, guestNames: (name: string) => string): string {
  let kept = false;
  let depth = 0;
  return text
    .split('\n')
    .map((line) => {
      if (depth === 0) {
        const [, setting] = /^\s*([a-z_][a-z0-9_]*)\s*\+?=/i.exec(line) ?? [];
        kept = setting === undefined ? false : keptSettings.includes(setting);
      }
      const bare = line.replace(/#.*$/, '');
      depth = Math.max(0, depth + (bare.match(/\[/g)?.length ?? 0) - (bare.match(/\]/g)?.length ?? 0));
      if (!kept) return '';
      return bare.replace(/^(\s*name\s*=\s*)(["'])(.*?)\2/, (_all, head: string, quote: string, name: string) => {
        return `${head}${quote}${guestNames(name)}${quote}`;
      });
    })
    .join('\n');
}

/** Of what xenpt itself has recorded. */
export function redactSerialNumbers(text: string): string {
  return text.replace(/("serialNumber":\s*)"[^"]*"/g, '$1null');
}
