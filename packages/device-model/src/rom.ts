/** An expansion ROM from a file, read access by access. Nothing of it can be written. */
export class ServedRom {
  /** Upper half of the last `read`. */
  high = 0;
  readonly #image: DataView;

  constructor(image: Uint8Array) {
    this.#image = new DataView(image.buffer, image.byteOffset, image.length);
  }

  /** Low 32 bits; behind the end of the file, and where an access is not aligned to its size, all ones. */
  read(offset: number, size: number): number {
    this.high = size === 8 ? this.#word(offset + 4, 4, size, offset) : 0;
    return this.#word(offset, Math.min(size, 4), size, offset);
  }

  #word(at: number, bytes: number, size: number, start: number): number {
    if (start % size !== 0 || at < 0 || at + bytes > this.#image.byteLength) return 0xffff_ffff >>> (32 - 8 * bytes);
    if (bytes === 1) return this.#image.getUint8(at);
    return bytes === 2 ? this.#image.getUint16(at, true) : this.#image.getUint32(at, true);
  }
}
