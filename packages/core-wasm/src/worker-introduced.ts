/** What one worker has been told of and refers to by number: how many scans use each, the one used last at the end. */
export class Introduced {
  readonly #scans = new Map<number, number>();

  /** A scan begins that uses it; `leave` follows. @returns whether the worker has to be told of it */
  join(id: number): boolean {
    const scans = this.#scans.get(id);
    this.#scans.delete(id);
    this.#scans.set(id, (scans ?? 0) + 1);
    return scans === undefined;
  }

  /** The scan is over. @returns what the worker is to forget, so that it knows no more than `remembered` unused ones */
  leave(id: number, remembered: number): number[] {
    this.#scans.set(id, (this.#scans.get(id) ?? 1) - 1);
    const unused = [...this.#scans].filter(([, scans]) => scans === 0).map(([unusedId]) => unusedId);
    const forgotten = unused.slice(0, Math.max(0, this.#scans.size - remembered));
    for (const each of forgotten) this.#scans.delete(each);
    return forgotten;
  }
}
