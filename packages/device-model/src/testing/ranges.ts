/** Ranges of a guest's address space, each with where it leads. No two overlap. */
export class Ranges {
  readonly #ranges: { readonly first: bigint; readonly target: bigint; readonly count: bigint }[] = [];

  get size(): number {
    return this.#ranges.length;
  }

  add(first: bigint, target: bigint, count: bigint): void {
    this.#ranges.push({ first, target, count });
  }

  clear(): void {
    this.#ranges.length = 0;
  }

  /** @returns a way back to how things are now */
  keep(): () => void {
    const kept = [...this.#ranges];
    return () => void this.#ranges.splice(0, Infinity, ...kept);
  }

  /** Only what was added exactly so can be removed. */
  remove(first: bigint, target: bigint, count: bigint): boolean {
    const index = this.#ranges.findIndex(
      (range) => range.first === first && range.target === target && range.count === count,
    );
    if (index < 0) return false;
    this.#ranges.splice(index, 1);
    return true;
  }

  overlaps(first: bigint, last: bigint): boolean {
    return this.#ranges.some((range) => range.first <= last && first < range.first + range.count);
  }

  /** Whether one range has all of first..last. */
  covering(first: bigint, last: bigint): boolean {
    return this.#ranges.some((range) => range.first <= first && last < range.first + range.count);
  }

  entries(): (readonly [bigint, bigint, bigint])[] {
    return this.#ranges.map(({ first, target, count }) => [first, target, count] as const);
  }

  describe(what: string): string[] {
    return this.#ranges.map(({ first, count }) => `${what} 0x${first.toString(16)} +0x${count.toString(16)}`);
  }
}
