import { malformedTable } from './errors.js';

// ACPI 6.5 §5.2.6: every table starts with 36 bytes.
//
//   +0 signature (4) │ +4 length (4) │ +8 revision │ +9 checksum │ +10 OEM id (6) │ +16 OEM table id (8) │ …

export const tableHeaderBytes = 36;
/** No table of an IOMMU comes near; a length is not believed beyond it. */
const tableBytesMax = 1 << 20;

/** One variable-length structure of a table: `view` covers it whole, its type and length fields included. */
export interface TableStructure {
  readonly type: number;
  readonly offset: number;
  readonly view: DataView;
}

/**
 * Checks signature, length and checksum, and hands out the bytes that the table's length names.
 *
 * @throws {@link PciError} `ACPI_TABLE_INVALID`
 */
export function openTable(bytes: Uint8Array, signatures: readonly string[]): DataView {
  const [name = 'table'] = signatures;
  if (bytes.length < tableHeaderBytes) throw malformedTable(name, `it has ${bytes.length} bytes`);
  if (bytes.length > tableBytesMax) throw malformedTable(name, `it has ${bytes.length} bytes, over ${tableBytesMax}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const signature = String.fromCharCode(...bytes.subarray(0, 4));
  if (!signatures.includes(signature)) throw malformedTable(name, `its signature is ${JSON.stringify(signature)}`);
  const length = view.getUint32(4, true);
  if (length < tableHeaderBytes || length > bytes.length) {
    throw malformedTable(name, `its length is ${length}; there are ${bytes.length} bytes`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/**
 * Walks structures that begin with their type and length.
 *
 * @throws {@link PciError} `ACPI_TABLE_INVALID` for a length that is too short to go on, or leads out of the table
 */
export function* structures(
  table: DataView,
  start: number,
  format: { readonly name: string; readonly headerBytes: number; head(view: DataView, at: number): [number, number] },
): Generator<TableStructure> {
  let offset = start;
  while (offset < table.byteLength) {
    const left = table.byteLength - offset;
    if (left < format.headerBytes) throw malformedTable(format.name, `${left} bytes are left at byte ${offset}`);
    const [type, length] = format.head(table, offset);
    if (length < format.headerBytes || length > left) {
      throw malformedTable(format.name, `the structure at byte ${offset} has length ${length}; ${left} are left`);
    }
    yield { type, offset, view: new DataView(table.buffer, table.byteOffset + offset, length) };
    offset += length;
  }
}
