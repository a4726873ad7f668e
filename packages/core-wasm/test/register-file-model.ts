import fc from 'fast-check';
import type { WordRule } from '../src/index.js';

// The oracle: what a register file must do, said bit by bit with booleans, sharing no trick with the kernel.

interface Bit {
  virtual: boolean;
  reset: boolean;
  shadowWrite: boolean;
  hardwareWrite: boolean;
  rw1c: boolean;
  notify: boolean;
  shadow: boolean;
}

export interface ModelWrite {
  /** Changed and to be reported, word-aligned. */
  readonly changed: number;
  readonly byteEnables: number;
  readonly value: number;
}

export const bitOf = (word: number, position: number): boolean => Math.floor(word / 2 ** position) % 2 === 1;

const toWord = (bits: readonly boolean[]): number =>
  bits.reduce((word, bit, position) => word + (bit ? 2 ** position : 0), 0);

export const emptyRule: WordRule = { virtual: 0, reset: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 0, notify: 0 };

/** The access as bit numbers of the file, lowest first; undefined when it is to be refused. */
function bitsOfAccess(sizeBytes: number, offset: number, width: number): number[] | undefined {
  if (![1, 2, 4].includes(width)) return undefined;
  if (!Number.isInteger(offset) || offset < 0 || offset % width !== 0 || offset + width > sizeBytes) return undefined;
  return Array.from({ length: width * 8 }, (_, index) => offset * 8 + index);
}

export class RegisterFileModel {
  readonly #sizeBytes: number;
  readonly #bits: Bit[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    for (let index = 0; index < sizeBytes / 4; index++) this.define(index, emptyRule);
  }

  define(wordIndex: number, rule: WordRule): void {
    for (let position = 0; position < 32; position++) {
      this.#bits[wordIndex * 32 + position] = {
        virtual: bitOf(rule.virtual, position),
        reset: bitOf(rule.reset, position),
        shadowWrite: bitOf(rule.shadowWrite, position),
        hardwareWrite: bitOf(rule.hardwareWrite, position),
        rw1c: bitOf(rule.rw1c, position),
        notify: bitOf(rule.notify, position),
        shadow: bitOf(rule.virtual, position) && bitOf(rule.reset, position),
      };
    }
  }

  needsHardwareToRead(offset: number, width: number): boolean {
    const numbers = bitsOfAccess(this.#sizeBytes, offset, width) ?? [];
    return numbers.some((number) => !this.#bit(number).virtual);
  }

  needsHardwareToWrite(offset: number, width: number): boolean {
    const numbers = bitsOfAccess(this.#sizeBytes, offset, width) ?? [];
    return numbers.some((number) => this.#bit(number).hardwareWrite);
  }

  read(offset: number, width: number, hardware: number): number {
    const numbers = bitsOfAccess(this.#sizeBytes, offset, width);
    if (!numbers) return Math.min(2 ** (8 * width) - 1, 2 ** 32 - 1);
    return toWord(
      numbers.map((number, index) => {
        const bit = this.#bit(number);
        return bit.virtual ? bit.shadow : bitOf(hardware, index);
      }),
    );
  }

  write(offset: number, width: number, value: number, hardware: number): ModelWrite {
    const numbers = bitsOfAccess(this.#sizeBytes, offset, width);
    if (!numbers) return { changed: 0, byteEnables: 0, value: 0 };
    const wordStart = Math.floor(offset / 4) * 32;
    const changed = new Array<boolean>(32).fill(false);
    const toHardware = new Array<boolean>(32).fill(false);
    const byteEnables = new Array<boolean>(4).fill(false);
    numbers.forEach((number, index) => {
      const bit = this.#bit(number);
      const written = bitOf(value, index);
      if (bit.shadowWrite && bit.shadow !== written) {
        bit.shadow = written;
        changed[number - wordStart] = bit.notify;
      }
      if (bit.hardwareWrite) byteEnables[Math.floor((number - wordStart) / 8)] = true;
    });
    numbers.forEach((number, index) => {
      const bit = this.#bit(number);
      if (!byteEnables[Math.floor((number - wordStart) / 8)]) return;
      if (bit.hardwareWrite) toHardware[number - wordStart] = bitOf(value, index);
      else toHardware[number - wordStart] = bitOf(hardware, index) && !bit.rw1c;
    });
    return { changed: toWord(changed), byteEnables: toWord(byteEnables), value: toWord(toHardware) };
  }

  shadow(wordIndex: number): number {
    return toWord(this.#bits.slice(wordIndex * 32, wordIndex * 32 + 32).map((bit) => bit.shadow));
  }

  setShadow(wordIndex: number, value: number): void {
    for (let position = 0; position < 32; position++) {
      this.#bit(wordIndex * 32 + position).shadow = bitOf(value, position);
    }
  }

  reset(): void {
    for (const bit of this.#bits) bit.shadow = bit.virtual && bit.reset;
  }

  #bit(number: number): Bit {
    const bit = this.#bits[number];
    if (!bit) throw new RangeError(`no bit ${number}`);
    return bit;
  }
}

export const anyU32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0xffff_ffff, 0x8000_0000),
);

/** Any six masks, cut down to what `define` accepts. */
export const anyRule: fc.Arbitrary<WordRule> = fc
  .record({
    virtual: anyU32,
    reset: anyU32,
    shadowWrite: anyU32,
    hardwareWrite: anyU32,
    rw1c: anyU32,
    notify: anyU32,
  })
  .map((masks) => {
    const shadowWrite = (masks.shadowWrite & masks.virtual) >>> 0;
    return {
      ...masks,
      shadowWrite,
      hardwareWrite: (masks.hardwareWrite & ~masks.virtual) >>> 0,
      notify: (masks.notify & shadowWrite) >>> 0,
    };
  });
