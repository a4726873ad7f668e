import { formatSbdf } from '@xenpt/pci';
import type { InventoryEntry, Owner } from '@xenpt/qmp-sdk/xen';
import { hex } from './json.js';

/** The fields of a function that every verb prints alike. */
export function functionJson(entry: InventoryEntry) {
  const { sbdf, vendorId, deviceId, classCode, className, vendorName, deviceName, driver, owner } = entry;
  return {
    sbdf: formatSbdf(sbdf),
    vendorId: hex(vendorId, 4),
    deviceId: hex(deviceId, 4),
    classCode: hex(classCode, 6),
    className,
    vendorName: vendorName ?? null,
    deviceName: deviceName ?? null,
    driver,
    owner,
  };
}

/** `Ethernet controller: Intel Corporation 82574L [8086:10d3]`, as lspci -nn has it. */
export function describeFunction({ className, vendorId, deviceId, vendorName, deviceName }: InventoryEntry): string {
  const ids = `[${plainHex(vendorId)}:${plainHex(deviceId)}]`;
  const names = [vendorName, deviceName].filter((name) => name !== undefined);
  return `${className}: ${[...names, ids].join(' ')}`;
}

export function describeOwner(owner: Owner): string {
  switch (owner.kind) {
    case 'domain':
      return `domain ${owner.domid} ${owner.domainName}${owner.guestSbdf === null ? '' : ` at ${owner.guestSbdf}`}`;
    case 'assignable':
      return 'assignable';
    case 'host':
      return owner.driver === null ? 'host, no driver' : 'host';
    case 'unknown':
      return 'assignable or a guest';
  }
}

function plainHex(id: number): string {
  return id.toString(16).padStart(4, '0');
}
