import { malformedTable } from './errors.js';
import { openTable, structures } from './table.js';

// AMD I/O Virtualization Technology 3.08 §5.2.
//
//   table   +36 information │ +48 …
//   block   +0 type │ +1 flags │ +2 length │ +4 device id (bus << 8 | devfn) │ …
//   IVMD    +6 last device id (type 22h) │ +8 segment │ +16 start │ +24 length in bytes
//           type 20h: all devices │ 21h: one │ 22h: from the first to the last

const ivmdTypes = [0x20, 0x21, 0x22] as const;
const ivmdBytes = 32;
const firstBlock = 48;
const lastDeviceId = 0xffff;

export interface UnityRegion {
  readonly start: bigint;
  /** Last byte. */
  readonly end: bigint;
  readonly segment: number;
  /** bus << 8 | device << 3 | function. */
  readonly firstDeviceId: number;
  readonly lastDeviceId: number;
}

export interface IvrsTable {
  readonly unityRegions: readonly UnityRegion[];
}

/**
 * Reads the table of AMD's IOMMUs. Blocks of other types are skipped.
 *
 * @throws {@link PciError} `ACPI_TABLE_INVALID`
 */
export function parseIvrs(bytes: Uint8Array): IvrsTable {
  const table = openTable(bytes, ['IVRS']);
  if (table.byteLength < firstBlock) throw malformedTable('IVRS', `its length is ${table.byteLength}`);
  const unityRegions: UnityRegion[] = [];
  const format = {
    name: 'IVRS',
    headerBytes: 4,
    head: (view: DataView, at: number): [number, number] => [view.getUint8(at), view.getUint16(at + 2, true)],
  };
  for (const { type, offset, view } of structures(table, firstBlock, format)) {
    if ((ivmdTypes as readonly number[]).includes(type)) unityRegions.push(parseRegion(type, offset, view));
  }
  return { unityRegions };
}

function parseRegion(type: number, offset: number, view: DataView): UnityRegion {
  if (view.byteLength < ivmdBytes) throw malformedTable('IVRS', `the IVMD at byte ${offset} is cut off`);
  const start = view.getBigUint64(16, true);
  const sizeBytes = view.getBigUint64(24, true);
  const end = start + sizeBytes - 1n;
  if (sizeBytes === 0n || end >= 1n << 64n) {
    throw malformedTable('IVRS', `the IVMD at byte ${offset} covers ${sizeBytes} bytes from 0x${start.toString(16)}`);
  }
  const first = type === 0x20 ? 0 : view.getUint16(4, true);
  const last = type === 0x20 ? lastDeviceId : type === 0x21 ? first : view.getUint16(6, true);
  return { start, end, segment: view.getUint16(8, true), firstDeviceId: first, lastDeviceId: last };
}
