import type { BarWindow } from './bar-window.js';

/** Accesses to an expansion ROM come with offsets from here on, apart from those to the table: see `ioreq.ts`. */
export const romOffsetBase = 2 ** 40;

/** An expansion ROM from a file, read access by access. Nothing of it can be written. */
export class ServedRom {
  /** Upper half of the last `read`. */
  high = 0;
  readonly #image: DataView;
  readonly #window: BarWindow;

  constructor(image: Uint8Array, window: BarWindow) {
    this.#image = new DataView(image.buffer, image.byteOffset, image.length);
    this.#window = window;
  }

  /** From {@link romOffsetBase} on, or -1. Numbers: addresses have at most 52 bits. */
  offsetOf(address: number): number {
    const { placed, bar } = this.#window;
    if (placed === null) return -1;
    const offset = address - Number(placed);
    return offset >= 0 && offset < Number(bar.sizeBytes) ? romOffsetBase + offset : -1;
  }

  /** Low 32 bits; behind the end of the file, and where an access is not aligned to its size, all ones. */
  read(offset: number, size: number): number {
    const at = offset - romOffsetBase;
    this.high = size === 8 ? this.#word(at + 4, 4, size, at) : 0;
    return this.#word(at, Math.min(size, 4), size, at);
  }

  #word(at: number, bytes: number, size: number, start: number): number {
    if (start % size !== 0 || at < 0 || at + bytes > this.#image.byteLength) return 0xffff_ffff >>> (32 - 8 * bytes);
    if (bytes === 1) return this.#image.getUint8(at);
    return bytes === 2 ? this.#image.getUint16(at, true) : this.#image.getUint32(at, true);
  }
}
