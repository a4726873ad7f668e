import type { DeniedByte, ViewWord } from '@xenpt/pci';

const wordCount = 64;
const mostCounted = 0xffff_ffff;

/**
 * What a guest wrote in vain, so that an operator learns which field a driver needed. A fixed amount of memory
 * whatever the guest does.
 *
 * Writing what is there already changes nothing and is not counted, and neither are bits that no device lets anyone
 * write: firmware sizes BARs with all ones.
 */
export class DeniedWrites {
  readonly #deniable = new Uint32Array(wordCount);
  readonly #clearedByOne = new Uint32Array(wordCount);
  readonly #masks = new Uint8Array(wordCount * 4);
  readonly #counts = new Uint32Array(wordCount * 4);

  constructor(words: readonly ViewWord[]) {
    for (const { index, rule, deniable } of words) {
      this.#deniable[index] = deniable;
      this.#clearedByOne[index] = rule.rw1c;
    }
  }

  /** Whether a write to these bits of the word can be in vain. @param lanes bits that the access covers */
  concerns(word: number, lanes: number): boolean {
    return ((this.#deniable[word] ?? 0) & lanes) !== 0;
  }

  /** @param value what was written, @param current what the guest reads there; both at their places in the word */
  note(word: number, lanes: number, value: number, current: number): void {
    const clearedByOne = this.#clearedByOne[word] ?? 0;
    const asked = ((value ^ current) & ~clearedByOne) | (value & current & clearedByOne);
    const denied = asked & lanes & (this.#deniable[word] ?? 0);
    for (let lane = 0; lane < 4; lane += 1) {
      const bits = (denied >>> (8 * lane)) & 0xff;
      if (bits === 0) continue;
      const offset = 4 * word + lane;
      const count = this.#counts[offset] ?? 0;
      this.#masks[offset] = (this.#masks[offset] ?? 0) | bits;
      if (count < mostCounted) this.#counts[offset] = count + 1;
    }
  }

  /** By offset; bytes where nothing was denied are left out. */
  list(): DeniedByte[] {
    const bytes: DeniedByte[] = [];
    for (const [offset, count] of this.#counts.entries()) {
      if (count > 0) bytes.push({ offset, mask: this.#masks[offset] ?? 0, count });
    }
    return bytes;
  }
}
