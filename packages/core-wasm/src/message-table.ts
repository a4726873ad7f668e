import type { Core } from './core.js';
import type { Address, Kernels } from './kernels.js';
import { isU32, requireInteger } from './u32.js';

/** Flags in the result of `MessageTable.write`. */
export const MessageTableEvent = {
  /** An address or data word now has another value. */
  messageChanged: 1,
  /** The entry was not masked and now is. */
  masked: 2,
  /** Control was written with bit 0 = 0, whether or not the entry was masked. */
  unmasked: 4,
  /** The data word was written, whatever its value: the last word of a message. */
  dataWritten: 8,
} as const;

const MAXIMUM_ENTRY_COUNT = 2048;

const ADDRESS_LOW = 0;
const ADDRESS_HIGH = 1;
const DATA = 2;
const CONTROL = 3;

/**
 * Messages of 16 bytes each: address low, address high, data, control (bit 0 = masked; no other bit is kept).
 *
 * `read` and `write` take whatever an untrusted party sends. An access that is not 4 or 8 bytes long, not aligned to
 * its size, or not inside the table, reads as all ones and writes nothing. They allocate nothing.
 */
export class MessageTable {
  readonly entryCount: number;
  readonly #kernels: Kernels;
  readonly #address: Address;

  /**
   * @param entryCount 1 … 2048
   * @throws {CoreTypeError | CoreRangeError} `entryCount` is no such number
   * @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no storage left
   */
  constructor(core: Core, entryCount: number) {
    requireInteger('entryCount', entryCount, 1, MAXIMUM_ENTRY_COUNT);
    this.entryCount = entryCount;
    this.#kernels = core.kernels;
    this.#address = core.allocate(core.kernels.messageTableStorageBytes(entryCount));
    this.#kernels.messageTableInitialize(this.#address, entryCount);
  }

  /**
   * @param offset in bytes
   * @param size in bytes
   * @returns u32: the low half; 0xffffffff for a refused read, whatever its size
   */
  read(offset: number, size: number): number {
    // A size of 0 is refused like any other: `high` must become all ones too.
    const asked = isU32(offset) && isU32(size) ? size : 0;
    return this.#kernels.messageTableRead(this.#address, offset, asked) >>> 0;
  }

  /** After `read`: u32, the upper half of 8 bytes; 0 after one of 4 bytes; 0xffffffff after a refused one. */
  get high(): number {
    return this.#kernels.messageTableReadHigh(this.#address) >>> 0;
  }

  /**
   * @param low u32, the first four bytes
   * @param high u32, the last four of 8 bytes; not looked at for 4
   * @returns 0: nothing to do; else `entryIndex << 8 | flags` of `MessageTableEvent`
   */
  write(offset: number, size: number, low: number, high: number): number {
    if (!isU32(offset) || !isU32(size)) return 0;
    return this.#kernels.messageTableWrite(this.#address, offset, size, low, high);
  }

  /** u32. @throws {CoreTypeError | CoreRangeError} no such entry */
  addressLow(entryIndex: number): number {
    return this.#word(entryIndex, ADDRESS_LOW);
  }

  /** u32. @throws {CoreTypeError | CoreRangeError} no such entry */
  addressHigh(entryIndex: number): number {
    return this.#word(entryIndex, ADDRESS_HIGH);
  }

  /** u32. @throws {CoreTypeError | CoreRangeError} no such entry */
  data(entryIndex: number): number {
    return this.#word(entryIndex, DATA);
  }

  /** @throws {CoreTypeError | CoreRangeError} no such entry */
  isMasked(entryIndex: number): boolean {
    return this.#word(entryIndex, CONTROL) !== 0;
  }

  /**
   * Whether a write has changed address or data since the host last said `setChanged(entryIndex, false)`.
   *
   * @throws {CoreTypeError | CoreRangeError} no such entry
   */
  isChanged(entryIndex: number): boolean {
    this.#requireEntry(entryIndex);
    return this.#kernels.messageTableIsChanged(this.#address, entryIndex) !== 0;
  }

  /** @throws {CoreTypeError | CoreRangeError} no such entry */
  setChanged(entryIndex: number, changed: boolean): void {
    this.#requireEntry(entryIndex);
    this.#kernels.messageTableSetChanged(this.#address, entryIndex, changed ? 1 : 0);
  }

  /** All words 0, all entries masked, none changed. */
  reset(): void {
    this.#kernels.messageTableReset(this.#address);
  }

  #word(entryIndex: number, word: number): number {
    this.#requireEntry(entryIndex);
    return this.#kernels.messageTableWord(this.#address, entryIndex, word) >>> 0;
  }

  #requireEntry(entryIndex: number): void {
    requireInteger('entryIndex', entryIndex, 0, this.entryCount - 1);
  }
}
