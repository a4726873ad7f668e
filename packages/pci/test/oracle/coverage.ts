/** What an access came to. Of a write, 1 is added for a change to be told, 2 for a byte that the device is given. */
export const Effect = { refused: 0, readDevice: 1, readOurs: 2, wrote: 4 } as const;
export type Effect = number;

const offsets = 256;
const widths = 9;
const effects = 8;

/** Which (register, width, effect) were seen. A register is an offset in the header or in a capability of some id. */
export class Coverage {
  /** Bytes of no capability, and those that are not there. */
  static readonly gap = 0xfe;
  static readonly outside = 0xff;
  readonly #seen = new Uint8Array(256 * offsets * widths * effects);
  #size = 0;

  /** Different ones. */
  get size(): number {
    return this.#size;
  }

  meet(group: number, offset: number, width: number, effect: Effect): void {
    const index = ((group * offsets + offset) * widths + width) * effects + effect;
    if (this.#seen[index] !== 0) return;
    this.#seen[index] = 1;
    this.#size += 1;
  }
}
