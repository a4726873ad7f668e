import type { MessageTable } from '@xenpt/core-wasm';
import type { GuestBar, GuestView, WithheldBytes } from '@xenpt/pci';
import type { BarAccess } from './host-device.js';
import type { MsiXGeometry } from './msi-x.js';

/** PCI Local Bus Specification 3.0, 6.8.2.6 to 6.8.2.9. */
const entryBytes = 16;
const vectorControlOffset = 12;
const pageBytes = 4096n;

/** As a signed number, which V8 does not allocate. */
const allOnes32 = -1;

/** Where the table is, also when the guest has no MSI-X because something else of it is broken. */
export function tableBytesOf({ msix, withheld }: GuestView): WithheldBytes | undefined {
  if (msix === undefined) return withheld;
  const { tableBarIndex, tableOffset, vectorCount } = msix;
  return { barIndex: tableBarIndex, offset: tableOffset, sizeBytes: vectorCount * entryBytes };
}

/** The table that the guest has instead of the device's, and where it thinks it is. */
export interface GuestTable {
  readonly geometry: MsiXGeometry;
  readonly table: MessageTable;
}

/**
 * The pages of a BAR that hold its MSI-X table. What of them is not the table is the device's own, registers and
 * pending bits, and is read there. It is not written by us, who cannot: Xen 4.19 and later write registers beside the
 * table in the guest's place while an entry is bound. Offsets count from the BAR's start.
 *
 *   pages   |-- device's --|----- table -----|--- pending bits, device's -----|
 *                        offset         + sizeBytes
 *
 * Without a table of the guest's, its bytes read all ones and no write reaches them.
 */
export class TablePages {
  readonly #tableBytes: WithheldBytes;
  readonly #barBytes: number;
  readonly #guest: GuestTable | undefined;
  readonly #device: BarAccess | undefined;
  #high = 0;

  constructor(
    tableBytes: WithheldBytes,
    bar: GuestBar,
    guest: GuestTable | undefined,
    device: BarAccess | undefined,
  ) {
    this.#tableBytes = tableBytes;
    this.#barBytes = Number(bar.hostSizeBytes);
    this.#guest = guest;
    this.#device = device;
  }

  isTable(offset: number): boolean {
    const { offset: start, sizeBytes } = this.#tableBytes;
    return offset >= start && offset < start + sizeBytes;
  }

  /** Low 32 bits, of either sign; all ones for what cannot be read. */
  read(offset: number, size: number): number {
    const table = this.#guest?.table;
    const isTable = this.isTable(offset);
    if (table !== undefined && isTable) {
      const low = table.read(this.tableOffset(offset), size);
      this.#high = table.high;
      return low;
    }
    if (this.#device === undefined || isTable || !this.#isInBar(offset, size)) {
      this.#high = allOnes32;
      return allOnes32;
    }
    const low = this.#device.read(offset, size);
    this.#high = size === 8 ? this.#device.high : 0;
    return low;
  }

  /** Upper 32 bits of the last `read`. */
  get high(): number {
    return this.#high;
  }

  /** The event of a MessageTable. */
  writeTable(offset: number, size: number, low: number, high: number): number {
    return this.#guest?.table.write(this.tableOffset(offset), size, low, high) ?? 0;
  }

  /** From the table's start. */
  tableOffset(offset: number): number {
    return offset - this.#tableBytes.offset;
  }

  /** Vector control in hardware; all ones when it cannot be read. */
  vectorControl(entry: number): number {
    const offset = this.#tableBytes.offset + entry * entryBytes + vectorControlOffset;
    return (this.#device?.read(offset, 4) ?? allOnes32) >>> 0;
  }

  /** A small BAR ends inside its page, and a neighbour's registers begin there. */
  #isInBar(offset: number, size: number): boolean {
    const isWhole = (size === 1 || size === 2 || size === 4 || size === 8) && offset % size === 0;
    return isWhole && offset >= 0 && offset + size <= this.#barBytes;
  }
}

/**
 * Pages of a function's BARs with table or pending bits. Xen keeps those read-only for dom0 as well, by what the device
 * says and whether or not a guest has the capability (mmio_ro_ranges, xen/arch/x86/msi.c), and what a program there
 * writes to one faults for ever: neither Xen nor Linux knows the fault for its own.
 */
export class KeptPages {
  /** Offsets count from the BAR's start; `end` is behind the last page. */
  readonly #pages: readonly { readonly bar: number; readonly start: number; readonly end: number }[];

  constructor({ bars, hostReadOnly }: Pick<GuestView, 'bars' | 'hostReadOnly'>) {
    this.#pages = bars.flatMap(({ index: bar, hostStart }) => {
      return hostReadOnly.map((range) => ({
        bar,
        start: Number(range.start - (range.start % pageBytes) - hostStart),
        end: Number(((range.end + pageBytes - 1n) / pageBytes) * pageBytes - hostStart),
      }));
    });
  }

  has(bar: number, offset: number): boolean {
    for (let index = 0; index < this.#pages.length; index += 1) {
      const page = this.#pages[index];
      if (page?.bar === bar && page.start <= offset && offset < page.end) return true;
    }
    return false;
  }
}
