import { join } from 'node:path';

import type { ReservedRegion } from '../inventory/function-record.js';
import { readOptionalText, type SysfsOptions } from './attributes.js';

// Linux drivers/iommu/iommu.c: `direct` and `direct-relaxable` are what firmware keeps for the device; `reserved` and
// `msi` are the IOMMU's own windows.
const line = /^0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) direct(-relaxable)?$/;

/** What the kernel's IOMMU driver keeps for the devices of each group; a line that does not parse is left out. */
export function readKernelRegions(
  groups: readonly number[],
  { sysroot = '/' }: SysfsOptions,
): ReadonlyMap<number, readonly ReservedRegion[]> {
  return new Map(
    groups.map((group) => {
      const text = readOptionalText(join(sysroot, `sys/kernel/iommu_groups/${group}/reserved_regions`)) ?? '';
      return [group, text.split('\n').flatMap(parseRegion)] as const;
    }),
  );
}

function parseRegion(text: string): ReservedRegion[] {
  const parts = line.exec(text);
  if (parts === null) return [];
  const [start, end] = [BigInt(`0x${parts[1]}`), BigInt(`0x${parts[2]}`)];
  return end < start ? [] : [{ start, end, source: 'kernel' }];
}
