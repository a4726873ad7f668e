import { join } from 'node:path';

import type { Sbdf } from '../sbdf.js';
import { type SysfsOptions, functionDirectory } from './attributes.js';

/** The file through which the kernel lets a memory BAR be mapped (Documentation/PCI/sysfs-pci.rst); it may be missing. */
export function barFilePath(sbdf: Sbdf, index: number, options: SysfsOptions = {}): string {
  return join(functionDirectory(sbdf, options), `resource${index}`);
}
