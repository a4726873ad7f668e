import { malformedTable } from './errors.js';
import { openTable, structures, tableHeaderBytes } from './table.js';

// Intel Virtualization Technology for Directed I/O 4.1 §8.
//
//   table   +36 host address width − 1 │ +37 flags: 0 interrupt remapping, 1 no x2APIC, 2 platform opt-in │ +48 …
//   RMRR    +0 type 1 │ +2 length │ +6 segment │ +8 base │ +16 limit (last byte) │ +24 device scopes
//   scope   +0 type │ +1 length │ +4 enumeration id │ +5 start bus │ +6 pairs of device and function, from the bus down

/** Its own name, and the one that Xen gives it (xen/drivers/passthrough/vtd/dmar.c, acpi_dmar_zap). */
export const dmarSignatures = ['DMAR', 'RMAD'] as const;

const rmrrType = 1;
const rmrrBytes = 24;
const scopeBytes = 6;
const firstStructure = 48;

/** Where a device scope leads: a path of device and function, each step through a bridge. */
export interface DeviceScope {
  readonly segment: number;
  readonly startBus: number;
  /** `subtree`: the function and everything behind it. */
  readonly kind: 'endpoint' | 'subtree';
  readonly path: readonly { readonly device: number; readonly function: number }[];
}

export interface ReservedRegionEntry {
  readonly start: bigint;
  /** Last byte. */
  readonly end: bigint;
  readonly scopes: readonly DeviceScope[];
}

export interface DmarTable {
  readonly interruptRemapping: boolean;
  readonly hostAddressBits: number;
  readonly reservedRegions: readonly ReservedRegionEntry[];
}

/**
 * Reads the table of Intel's IOMMUs. Structures of other types are skipped. Xen renames it, so that dom0 does not take
 * the IOMMU too.
 *
 * @throws {@link PciError} `ACPI_TABLE_INVALID`
 */
export function parseDmar(bytes: Uint8Array): DmarTable {
  const table = openTable(bytes, dmarSignatures);
  if (table.byteLength < firstStructure) throw malformedTable('DMAR', `its length is ${table.byteLength}`);
  const reservedRegions: ReservedRegionEntry[] = [];
  const format = {
    name: 'DMAR',
    headerBytes: 4,
    head: (view: DataView, at: number): [number, number] => [view.getUint16(at, true), view.getUint16(at + 2, true)],
  };
  for (const { type, offset, view } of structures(table, firstStructure, format)) {
    if (type === rmrrType) reservedRegions.push(parseRegion(view, offset));
  }
  const flags = table.getUint8(tableHeaderBytes + 1);
  return {
    interruptRemapping: (flags & 1) !== 0,
    hostAddressBits: table.getUint8(tableHeaderBytes) + 1,
    reservedRegions,
  };
}

function parseRegion(view: DataView, offset: number): ReservedRegionEntry {
  if (view.byteLength < rmrrBytes) throw malformedTable('DMAR', `the RMRR at byte ${offset} ends in its header`);
  const [start, end] = [view.getBigUint64(8, true), view.getBigUint64(16, true)];
  if (end < start) throw malformedTable('DMAR', `the RMRR at byte ${offset} ends before it starts`);
  return { start, end, scopes: [...parseScopes(view, rmrrBytes, view.getUint16(6, true))] };
}

function* parseScopes(view: DataView, start: number, segment: number): Generator<DeviceScope> {
  const format = {
    name: 'DMAR',
    headerBytes: scopeBytes,
    head: (table: DataView, at: number): [number, number] => [table.getUint8(at), table.getUint8(at + 1)],
  };
  for (const { type, view: scope } of structures(view, start, format)) {
    // 1 endpoint, 2 bridge; 3 to 5 are interrupt controllers, timers and what ACPI alone names.
    if (type !== 1 && type !== 2) continue;
    const path = [];
    for (let at = scopeBytes; at + 2 <= scope.byteLength; at += 2) {
      path.push({ device: scope.getUint8(at) & 0x1f, function: scope.getUint8(at + 1) & 7 });
    }
    if (path.length === 0) continue;
    yield { segment, startBus: scope.getUint8(5), kind: type === 1 ? 'endpoint' : 'subtree', path };
  }
}
