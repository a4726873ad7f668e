import type { FunctionRule } from './rule.js';

export const reservedMemory: FunctionRule = {
  scope: 'function',
  id: 'reserved-memory',
  title: 'Firmware keeps memory for this device (RMRR, IVMD)',
  cause:
    'The firmware tells the IOMMU to leave some memory open to the device, which it uses behind the system’s back.',
  consequence:
    'The region has to stay free in the guest’s memory. xl refuses the device by default (strict). A region that ' +
    'several devices share, Xen refuses altogether. Relaxed, the guest may read and write what the firmware has there.',
  remedy:
    'Switch the cause off in the firmware (legacy USB, remote management; HPE: conrep). Else rdm="strategy=host" ' +
    'keeps the region free, and rdm_policy=relaxed on the device takes the risk.',
  check: ({ address, reservedRegions }, { functions }) => {
    if (reservedRegions.length === 0) return [];
    const ranges = reservedRegions.map(({ start, end, source }) => `0x${hex(start)}-0x${hex(end)} (${source})`);
    const sharing = functions.filter(
      (other) => other.address !== address && overlaps(other.reservedRegions, reservedRegions),
    );
    const shared = sharing.length > 0;
    return [
      {
        effect: shared ? 'blocks' : 'warns',
        message: shared
          ? `its reserved memory is shared with ${sharing.map((other) => other.address).join(', ')}`
          : `firmware keeps ${ranges.length === 1 ? 'a memory region' : `${ranges.length} memory regions`} for it`,
        evidence: ranges,
        fix: `rdm="strategy=host,policy=strict" and pci=["${address},rdm_policy=relaxed"] in the guest's configuration`,
      },
    ];
  },
};

interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

function overlaps(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some((one) => b.some((other) => one.start <= other.end && other.start <= one.end));
}

function hex(value: bigint): string {
  return value.toString(16);
}
