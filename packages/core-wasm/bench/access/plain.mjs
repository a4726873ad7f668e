// The same merge without WASM: what a good programmer writes over typed arrays, and a loop over bytes as machine
// emulators have it. Both judge an access as the kernel does, and leave the same results.

const [SHADOW, VIRTUAL, SHADOW_WRITE, HARDWARE_WRITE, RW1C, NOTIFY] = [0, 1, 2, 3, 4, 5];
const WORD = 8;

export const allOnes = (width) => (width >= 4 ? 0xffffffff : (1 << (width << 3)) - 1);

/** Words of eight numbers each, masks by shift; one object for each file. */
export class PlainRegisterFile {
  #words;
  #sizeBytes;
  hardwareByteEnables = 0;
  hardwareValue = 0;

  constructor(sizeBytes) {
    this.#sizeBytes = sizeBytes;
    this.#words = new Int32Array((sizeBytes / 4) * WORD);
  }

  define(index, { virtual, reset, shadowWrite, hardwareWrite, rw1c, notify }) {
    this.#words.set([reset & virtual, virtual, shadowWrite, hardwareWrite, rw1c, notify], index * WORD);
  }

  read(offset, width, hardware) {
    if (!this.#isInside(offset, width)) return allOnes(width);
    const words = this.#words;
    const word = (offset >>> 2) << 3;
    const shift = (offset & 3) << 3;
    const virtual = words[word + VIRTUAL];
    const ours = (words[word + SHADOW] & virtual) >>> shift;
    return ((ours | (hardware & ~(virtual >>> shift))) & (-1 >>> (32 - (width << 3)))) >>> 0;
  }

  write(offset, width, value, hardware) {
    this.hardwareByteEnables = 0;
    this.hardwareValue = 0;
    if (!this.#isInside(offset, width)) return 0;
    const words = this.#words;
    const word = (offset >>> 2) << 3;
    const shift = (offset & 3) << 3;
    const valid = (-1 >>> (32 - (width << 3))) << shift;
    const written = value << shift;
    const shadow = words[word + SHADOW];
    const shadowWrite = words[word + SHADOW_WRITE] & valid;
    const next = (shadow & ~shadowWrite) | (written & shadowWrite);
    words[word + SHADOW] = next;
    const hardwareWrite = words[word + HARDWARE_WRITE];
    const reaching = hardwareWrite & valid;
    if (reaching !== 0) {
      const kept = (hardware << shift) & ~words[word + RW1C] & ~hardwareWrite;
      let touched = reaching | (reaching >>> 4);
      touched |= touched >>> 2;
      touched = (touched | (touched >>> 1)) & 0x01010101;
      this.hardwareByteEnables = Math.imul(touched, 0x10204080) >>> 28;
      this.hardwareValue = ((written & reaching) | (kept & Math.imul(touched, 0xff))) >>> 0;
    }
    return ((shadow ^ next) & words[word + NOTIFY]) >>> 0;
  }

  #isInside(offset, width) {
    const isWidth = (0b1_0110 >>> width) & (width <= 4 ? 1 : 0);
    return offset >>> 0 === offset && isWidth !== 0 && (offset & (width - 1)) === 0 && offset < this.#sizeBytes;
  }
}

/** A mask for each byte, one byte after the other. */
export class BytewiseRegisterFile {
  #shadow;
  #virtual;
  #shadowWrite;
  #hardwareWrite;
  #rw1c;
  #notify;
  #sizeBytes;
  hardwareByteEnables = 0;
  hardwareValue = 0;

  constructor(sizeBytes) {
    this.#sizeBytes = sizeBytes;
    this.#shadow = new Uint8Array(sizeBytes);
    this.#virtual = new Uint8Array(sizeBytes);
    this.#shadowWrite = new Uint8Array(sizeBytes);
    this.#hardwareWrite = new Uint8Array(sizeBytes);
    this.#rw1c = new Uint8Array(sizeBytes);
    this.#notify = new Uint8Array(sizeBytes);
  }

  define(index, { virtual, reset, shadowWrite, hardwareWrite, rw1c, notify }) {
    for (let lane = 0; lane < 4; lane += 1) {
      const at = 4 * index + lane;
      this.#shadow[at] = (reset & virtual) >>> (8 * lane);
      this.#virtual[at] = virtual >>> (8 * lane);
      this.#shadowWrite[at] = shadowWrite >>> (8 * lane);
      this.#hardwareWrite[at] = hardwareWrite >>> (8 * lane);
      this.#rw1c[at] = rw1c >>> (8 * lane);
      this.#notify[at] = notify >>> (8 * lane);
    }
  }

  read(offset, width, hardware) {
    if (!this.#isInside(offset, width)) return allOnes(width);
    let value = 0;
    for (let index = width - 1; index >= 0; index -= 1) {
      const virtual = this.#virtual[offset + index];
      const byte = (this.#shadow[offset + index] & virtual) | ((hardware >>> (8 * index)) & 0xff & ~virtual);
      value = (value << 8) | byte;
    }
    return value >>> 0;
  }

  write(offset, width, value, hardware) {
    this.hardwareByteEnables = 0;
    this.hardwareValue = 0;
    if (!this.#isInside(offset, width)) return 0;
    let changed = 0;
    for (let index = 0; index < width; index += 1) {
      const at = offset + index;
      const lane = 8 * (at & 3);
      const written = (value >>> (8 * index)) & 0xff;
      const before = this.#shadow[at];
      const mask = this.#shadowWrite[at];
      const next = (before & ~mask) | (written & mask);
      this.#shadow[at] = next;
      changed |= ((before ^ next) & this.#notify[at]) << lane;
      const reaching = this.#hardwareWrite[at];
      if (reaching === 0) continue;
      const kept = (hardware >>> (8 * index)) & 0xff & ~this.#rw1c[at] & ~reaching;
      this.hardwareByteEnables |= 1 << (at & 3);
      this.hardwareValue |= ((written & reaching) | kept) << lane;
    }
    this.hardwareValue >>>= 0;
    return changed >>> 0;
  }

  #isInside(offset, width) {
    const isWidth = (0b1_0110 >>> width) & (width <= 4 ? 1 : 0);
    return offset >>> 0 === offset && isWidth !== 0 && (offset & (width - 1)) === 0 && offset < this.#sizeBytes;
  }
}
