import type { WordRule } from '@xenpt/core-wasm';

import type { Register } from './register.js';

/** The part of configuration space a guest without memory-mapped access reaches (PCI Local Bus 3.0 §6.1). */
export const guestConfigBytes = 256;

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
      if (this.#claimed[byte] === 0) this.#merge(byte, { ...readOnlyWord, virtual: 0xff });
    }
  }

  /** One rule for each of the 64 words, in order. */
  words(): { readonly index: number; readonly rule: WordRule }[] {
    return this.#words.map((rule, index) => ({ index, rule }));
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
