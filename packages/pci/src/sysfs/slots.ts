import { join } from 'node:path';

import { readNames, readOptionalText, type SysfsOptions } from './attributes.js';

/** Names of the slots by the address of what is in them, without a function: `0000:03:00`. */
export function readSlotLabels({ sysroot = '/' }: SysfsOptions): ReadonlyMap<string, string> {
  const folder = join(sysroot, 'sys/bus/pci/slots');
  const labels = new Map<string, string>();
  for (const name of readNames(folder)) {
    const address = readOptionalText(join(folder, name, 'address'))?.trim() ?? '';
    if (/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}$/.test(address)) {
      labels.set(address, name.replace(/\p{C}/gu, '?').slice(0, 64));
    }
  }
  return labels;
}
