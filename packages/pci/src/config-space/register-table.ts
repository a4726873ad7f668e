import type { WordRule } from '@xenpt/core-wasm';

import { readLittleEndian } from './access.js';
import type { Register } from './register.js';

/** The part of configuration space a guest without memory-mapped access reaches (PCI Local Bus 3.0 §6.1). */
export const guestConfigBytes = 256;

/** What becomes of one 32-bit word, and which of the guest's writes to it an operator may want to hear of. */
export interface ViewWord {
  readonly index: number;
  readonly rule: WordRule;
  /** Bits that the device, for all that is known, would take from its driver, and that the guest cannot write. */
  readonly deniable: number;
}

/** A word nobody described: read from the device, never written. */
const readOnlyWord: WordRule = { virtual: 0, reset: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 0, notify: 0 };

/**
 * Turns registers into the rules of 32-bit words:
 *
 *     byte     3        2        1        0
 *          ┌────────┬────────┬────────┬────────┐
 *          │ register of 2   │ of 1   │ nobody │   each register's masks shifted to its byte, the rest 0
 *          └────────┴────────┴────────┴────────┘
 */
export class RegisterTable {
  readonly #words: WordRule[] = Array.from({ length: guestConfigBytes / 4 }, () => readOnlyWord);
  readonly #claimed = new Uint8Array(guestConfigBytes);
  /** Bytes that a register describes or that are concealed: their policy is not the operator's to change. */
  readonly #settled = new Uint8Array(guestConfigBytes);
  readonly #deniable = new Uint8Array(guestConfigBytes).fill(0xff);

  /** Reserves bytes for their owner: {@link conceal} leaves them alone from now on. */
  claim(offset: number, sizeBytes: number): void {
    this.#claimed.fill(1, offset, offset + sizeBytes);
  }

  /**
   * @param base where the register's group starts, bytes
   * @param shadow what the guest reads first in the register's virtual bits, right-aligned
   */
  place(base: number, register: Register, shadow: number): void {
    const { virtual = 0, shadowWrite = 0, hardwareWrite = 0, hardwareZero = 0, notify = 0 } = register.guest;
    this.claim(base + register.offset, register.width);
    this.#settle(base + register.offset, register);
    this.#merge(base + register.offset, {
      virtual,
      reset: shadow & virtual,
      shadowWrite,
      hardwareWrite,
      // Both are bits that a write-back of what was read would change or trigger.
      rw1c: ((register.rw1c ?? 0) | hardwareZero) & ~virtual,
      notify,
    });
  }

  /** Makes every byte of the range that nobody claimed read as 0. */
  conceal(offset: number, sizeBytes: number): void {
    for (let byte = offset; byte < Math.min(offset + sizeBytes, guestConfigBytes); byte += 1) {
      if (this.#claimed[byte] !== 0) continue;
      this.#merge(byte, { ...readOnlyWord, virtual: 0xff });
      this.#settled[byte] = 1;
    }
  }

  /** Whether nothing says what the byte is: no register describes it and nothing conceals it. */
  isOpen(offset: number): boolean {
    return this.#settled[offset] === 0;
  }

  /** Lets a guest's writes through to the device in these bits of an open byte. */
  open(offset: number, mask: number): void {
    this.#merge(offset, { ...readOnlyWord, hardwareWrite: mask });
    this.#deniable[offset] = (this.#deniable[offset] ?? 0) & ~mask;
  }

  /** One for each of the 64 words, in order. */
  words(): ViewWord[] {
    return this.#words.map((rule, index) => ({
      index,
      rule,
      deniable: readLittleEndian(this.#deniable, 4 * index, 4),
    }));
  }

  #settle(offset: number, register: Register): void {
    const { ro = 0, rsvdp = 0, rsvdz = 0, guest } = register;
    const denied = ~(ro | rsvdp | rsvdz | (guest.shadowWrite ?? 0) | (guest.hardwareWrite ?? 0));
    for (let lane = 0; lane < register.width; lane += 1) {
      this.#settled[offset + lane] = 1;
      this.#deniable[offset + lane] = (denied >>> (8 * lane)) & 0xff;
    }
  }

  #merge(offset: number, part: WordRule): void {
    const index = offset >>> 2;
    const shift = (offset & 3) * 8;
    const word = this.#words[index] ?? readOnlyWord;
    const join = (mask: keyof WordRule): number => (word[mask] | (part[mask] << shift)) >>> 0;
    this.#words[index] = {
      virtual: join('virtual'),
      reset: join('reset'),
      shadowWrite: join('shadowWrite'),
      hardwareWrite: join('hardwareWrite'),
      rw1c: join('rw1c'),
      notify: join('notify'),
    };
  }
}
