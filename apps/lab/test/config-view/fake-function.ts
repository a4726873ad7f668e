/** A configuration space for the probe: bits in `writable` are kept, others stay. Aligned accesses only. */
export class FakeFunction {
  readonly bytes: Uint8Array;
  readonly writes: { offset: number; width: number; value: number }[] = [];
  readonly #writable: Uint8Array;
  readonly #saved = new Map<number, number>();

  constructor(bytes: Uint8Array, writable: Uint8Array) {
    this.bytes = Uint8Array.from(bytes);
    this.#writable = writable;
  }

  /** What config-probe.c does with a script. */
  run(script: string): string {
    const answers = script
      .trim()
      .split('\n')
      .map((line) => this.#step(line));
    return `${answers.join('')}!`;
  }

  read(offset: number, width: number): number {
    if (offset % width !== 0) return 0;
    let value = 0;
    for (let lane = width - 1; lane >= 0; lane -= 1) value = value * 256 + (this.bytes[offset + lane] ?? 0);
    return value;
  }

  #step(line: string): string {
    const [, operation = '', offsetDigits = '', rest = ''] = /^([srwx])([0-9a-f]{2})(.*)$/.exec(line) ?? [];
    const offset = Number.parseInt(offsetDigits, 16);
    const width = operation === 's' ? 4 : Number(rest[0]);
    const answer = (value: number) => value.toString(16).padStart(8, '0');
    if (operation === 'w') this.#write(offset, width, Number.parseInt(rest.slice(1), 16));
    if (operation === 'x')
      this.#write(offset, width, (this.#saved.get(offset - (offset % 4)) ?? 0) >>> (8 * (offset % 4)));
    if (operation === 's') this.#saved.set(offset, this.read(offset, 4));
    return operation === 's' || operation === 'r' ? answer(this.read(offset, width)) : '';
  }

  #write(offset: number, width: number, value: number): void {
    this.writes.push({ offset, width, value });
    for (let lane = 0; lane < width; lane += 1) {
      const mask = this.#writable[offset + lane] ?? 0;
      const written = (value >>> (8 * lane)) & mask;
      this.bytes[offset + lane] = ((this.bytes[offset + lane] ?? 0) & ~mask) | written;
    }
  }
}

/** Bytes that depend on their place, and masks of writable bits that do too. */
export function patterned(): { bytes: Uint8Array; writable: Uint8Array } {
  return {
    bytes: Uint8Array.from({ length: 256 }, (_, offset) => (offset * 37 + 11) & 0xff),
    writable: Uint8Array.from({ length: 256 }, (_, offset) => (offset * 91 + 5) & 0xff),
  };
}
