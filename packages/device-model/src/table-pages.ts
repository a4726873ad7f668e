import type { MessageTable } from '@xenpt/core-wasm';
import type { GuestBar } from '@xenpt/pci';
import type { BarAccess } from './host-device.js';
import type { MsiXGeometry } from './msi-x.js';

/** PCI Local Bus Specification 3.0, 6.8.2.6 to 6.8.2.9. */
const entryBytes = 16;
const vectorControlOffset = 12;
const entriesPerPendingWord = 64;
const pendingWordBytes = 8;

const allOnes32 = 0xffff_ffff;

/**
 * The pages of a BAR that hold its MSI-X table. What of them is not the table is the device's own: registers, which
 * are read and written in the device, and pending bits, which are only read there. Offsets count from the BAR's start.
 *
 *   pages   |-- device's --|----- table -----|--- pending bits, device's -----|
 *                     tableOffset     + 16 · vectors
 */
export class TablePages {
  readonly #geometry: MsiXGeometry;
  readonly #barBytes: number;
  readonly #table: MessageTable;
  readonly #device: BarAccess | undefined;
  readonly #tableEnd: number;
  #high = 0;

  constructor(geometry: MsiXGeometry, bar: GuestBar, table: MessageTable, device: BarAccess | undefined) {
    this.#geometry = geometry;
    this.#barBytes = Number(bar.hostSizeBytes);
    this.#table = table;
    this.#device = device;
    this.#tableEnd = geometry.tableOffset + geometry.vectorCount * entryBytes;
  }

  isTable(offset: number): boolean {
    return offset >= this.#geometry.tableOffset && offset < this.#tableEnd;
  }

  /** Low 32 bits; all ones for what cannot be read. */
  read(offset: number, size: number): number {
    if (this.isTable(offset)) {
      const low = this.#table.read(offset - this.#geometry.tableOffset, size);
      this.#high = this.#table.high;
      return low;
    }
    if (this.#device === undefined || !this.#isInBar(offset, size)) {
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
    return this.#table.write(offset - this.#geometry.tableOffset, size, low, high);
  }

  writeBeside(offset: number, size: number, low: number, high: number): void {
    if (this.#device === undefined || !this.#isInBar(offset, size)) return;
    if (this.isPending(this.#geometry.tableBarIndex, offset, size)) return;
    this.#device.write(offset, size, low, high);
  }

  /** Vector control in hardware; all ones when it cannot be read. */
  vectorControl(entry: number): number {
    const offset = this.#geometry.tableOffset + entry * entryBytes + vectorControlOffset;
    return this.#device?.read(offset, 4) ?? allOnes32;
  }

  /** A small BAR ends inside its page, and a neighbour's registers begin there. */
  #isInBar(offset: number, size: number): boolean {
    const isWhole = (size === 1 || size === 2 || size === 4 || size === 8) && offset % size === 0;
    return isWhole && offset >= 0 && offset + size <= this.#barBytes;
  }

  /** Whether an access to a BAR meets pending bits, which only the device writes. */
  isPending(bar: number, offset: number, size: number): boolean {
    const { pbaBarIndex, pbaOffset, vectorCount } = this.#geometry;
    const end = pbaOffset + Math.ceil(vectorCount / entriesPerPendingWord) * pendingWordBytes;
    return pbaBarIndex === bar && offset < end && pbaOffset < offset + size;
  }
}
