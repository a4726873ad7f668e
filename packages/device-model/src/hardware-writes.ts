import type { AccessWidth } from '@xenpt/pci';
import type { WriteConfig } from './effects.js';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const noWrites: readonly WriteConfig[] = Object.freeze([]);

/**
 * What one write of a guest comes to in the device: the enabled bytes of a word in aligned accesses, two at most. They
 * are the same two objects each time, so that a driver that only turns bus master on and off costs no memory; whoever
 * is given them is done with them before the guest writes again.
 */
export class HardwareWrites {
  readonly #first: Mutable<WriteConfig> = { type: 'writeConfig', offset: 0, width: 1, value: 0 };
  readonly #second: Mutable<WriteConfig> = { type: 'writeConfig', offset: 0, width: 1, value: 0 };
  readonly #one: readonly WriteConfig[] = [this.#first];
  readonly #both: readonly WriteConfig[] = [this.#first, this.#second];

  /**
   * @param wordOffset of the word in configuration space
   * @param byteEnables bit n: byte n of the word
   * @param value u32, the word
   */
  of(wordOffset: number, byteEnables: number, value: number): readonly WriteConfig[] {
    const next = this.#fill(this.#first, wordOffset, byteEnables, value, 0);
    if (next === 0) return noWrites;
    return this.#fill(this.#second, wordOffset, byteEnables, value, next) === 0 ? this.#one : this.#both;
  }

  /** The first access at `lane` or behind it; returns the lane behind that, 0 when there is none. */
  #fill(write: Mutable<WriteConfig>, wordOffset: number, byteEnables: number, value: number, from: number): number {
    for (let lane = from; lane < 4; lane += 1) {
      const width = runWidth(byteEnables, lane);
      if (width === 0) continue;
      write.offset = wordOffset + lane;
      write.width = width;
      write.value = ((value >>> (lane * 8)) & (0xffff_ffff >>> (32 - 8 * width))) >>> 0;
      return lane + width;
    }
    return 0;
  }
}

/** The widest aligned access from `lane` on that covers enabled bytes only; 0 when the byte is not enabled. */
export function runWidth(byteEnables: number, lane: number): AccessWidth | 0 {
  const enabled = byteEnables >>> lane;
  if (lane === 0 && (enabled & 0b1111) === 0b1111) return 4;
  if (lane % 2 === 0 && (enabled & 0b11) === 0b11) return 2;
  return (enabled & 1) === 1 ? 1 : 0;
}
