import { join } from 'node:path';

import type { Sbdf } from '../sbdf.js';
import { type SysfsOptions, functionDirectory } from './attributes.js';

/** The function's configuration space (Documentation/PCI/sysfs-pci.rst). */
export function configFilePath(sbdf: Sbdf, options: SysfsOptions = {}): string {
  return join(functionDirectory(sbdf, options), 'config');
}

/** The file that maps a memory BAR (Documentation/PCI/sysfs-pci.rst). Not every kernel and device has it. */
export function barFilePath(sbdf: Sbdf, index: number, options: SysfsOptions = {}): string {
  return join(functionDirectory(sbdf, options), `resource${index}`);
}
