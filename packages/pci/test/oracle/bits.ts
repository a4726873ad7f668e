// An oracle: what a guest may see and touch of a function, bit by bit, written from the specifications and from the
// project's properties C1 to C18 alone. It shares no table, no mask and no function with what it judges.

/** What becomes of one bit of the first 256 bytes. */
export const Kind = {
  /** The guest reads the device; a write goes nowhere. */
  deviceReadOnly: 0,
  /** The guest reads what we hold, which never changes. */
  oursFixed: 1,
  /** The guest reads what it wrote. */
  oursWritable: 2,
  /** The guest reads and writes the device. */
  deviceWritable: 3,
  /** As `deviceReadOnly`; in a write that reaches its byte it is 0, since a 1 would do something. */
  deviceZeroed: 4,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

const bitCount = 2048;

/** The bits, and what a guest has written into ours. Naive on purpose: one bit at a time. */
export class BitModel {
  readonly kind = new Uint8Array(bitCount);
  readonly initial = new Uint8Array(bitCount);
  readonly held = new Uint8Array(bitCount);
  /** Bytes that a description speaks of. */
  readonly described = new Uint8Array(256);
  /** After `write`: 256 flags and values of the bytes that the device was given. */
  readonly given = new Int16Array(256).fill(-1);

  /** Sets `width` bytes to ours: `initial` now, the bits of `writable` the guest's. */
  ours(offset: number, width: number, initial: number, writable = 0): void {
    for (let bit = 0; bit < 8 * width; bit += 1) {
      this.setBit(offset, bit, bitOf(writable, bit) ? Kind.oursWritable : Kind.oursFixed, bitOf(initial, bit));
    }
    this.describe(offset, width);
  }

  /** One bit, counted from the lowest of the byte at `offset`. */
  setBit(offset: number, bit: number, kind: Kind, initial = 0): void {
    this.kind[8 * offset + bit] = kind;
    this.initial[8 * offset + bit] = initial;
    this.held[8 * offset + bit] = initial;
  }

  describe(offset: number, width: number): void {
    for (let byte = offset; byte < offset + width && byte < 256; byte += 1) this.described[byte] = 1;
  }

  /** Everything the guest wrote is forgotten. */
  forget(): void {
    this.held.set(this.initial);
  }

  read(offset: number, width: number, device: Uint8Array): number {
    if (!isOrdinary(offset, width)) return ones(width);
    let value = 0;
    for (let bit = 8 * width - 1; bit >= 0; bit -= 1) value = (value << 1) | this.#readBit(8 * offset + bit, device);
    return value >>> 0;
  }

  /** Says what the device is given in `given`. */
  write(offset: number, width: number, value: number, device: Uint8Array): void {
    this.given.fill(-1);
    if (!isOrdinary(offset, width)) return;
    for (let byte = 0; byte < width; byte += 1) {
      let reaches = false;
      let given = 0;
      for (let bit = 0; bit < 8; bit += 1) {
        const at = 8 * (offset + byte) + bit;
        const written = bitOf(value, 8 * byte + bit);
        const kind = this.kind[at];
        if (kind === Kind.oursWritable) this.held[at] = written;
        if (kind === Kind.deviceWritable) reaches = true;
        const passed = kind === Kind.deviceWritable ? written : deviceBit(at, device);
        if (kind !== Kind.deviceZeroed) given |= passed << bit;
      }
      if (reaches) this.given[offset + byte] = given;
    }
  }

  #readBit(at: number, device: Uint8Array): number {
    const kind = this.kind[at];
    const isOurs = kind === Kind.oursFixed || kind === Kind.oursWritable;
    return isOurs ? (this.held[at] ?? 0) : deviceBit(at, device);
  }
}

/** C11: one, two or four bytes, each at a multiple of itself, inside the 256. */
function isOrdinary(offset: number, width: number): boolean {
  if (width !== 1 && width !== 2 && width !== 4) return false;
  return offset >= 0 && offset % width === 0 && offset + width <= 256;
}

function deviceBit(at: number, device: Uint8Array): number {
  return ((device[at >>> 3] ?? 0xff) >>> (at & 7)) & 1;
}

/** Of the lowest 32. */
export function bitOf(value: number, bit: number): number {
  return (value >>> bit) & 1;
}

export function ones(width: number): number {
  return 2 ** (8 * Math.min(width, 4)) - 1;
}
