import type { BarAccess } from '../host-device.js';

export interface BarAccessRecord {
  readonly bar: number;
  readonly offset: number;
  readonly size: number;
  /** What was written; null for a read. */
  readonly written: bigint | null;
}

/** Registers of a device that hold what is written to them, and a record of every access in the guest's place. */
export class FakeBar implements BarAccess {
  high = 0;
  readonly index: number;
  readonly #bytes = new Map<number, number>();
  readonly #onAccess: (access: BarAccessRecord) => void;

  constructor(index: number, onAccess: (access: BarAccessRecord) => void) {
    this.index = index;
    this.#onAccess = onAccess;
  }

  read(offset: number, size: number): number {
    this.#onAccess({ bar: this.index, offset, size, written: null });
    const value = this.peek(offset, size);
    this.high = Number(value >> 32n);
    return Number(value & 0xffff_ffffn);
  }

  write(offset: number, size: number, low: number, high: number): void {
    const written = BigInt.asUintN(size * 8, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
    this.#onAccess({ bar: this.index, offset, size, written });
    for (let index = 0; index < size; index += 1) {
      this.#bytes.set(offset + index, Number((written >> BigInt(8 * index)) & 0xffn));
    }
  }

  /** What the device holds from now on; four bytes, an access of nobody's. */
  hold(offset: number, value: number): void {
    for (let index = 0; index < 4; index += 1) this.#bytes.set(offset + index, (value >>> (8 * index)) & 0xff);
  }

  /** What is there, without an access. A register that was never written holds a pattern of its own. */
  peek(offset: number, size: number): bigint {
    let value = 0n;
    for (let index = size - 1; index >= 0; index -= 1) {
      const at = offset + index;
      value = (value << 8n) | BigInt(this.#bytes.get(at) ?? (at * 31 + this.index) & 0xff);
    }
    return value;
  }
}
