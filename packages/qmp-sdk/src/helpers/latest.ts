/**
 * One value that changes, for any number of readers: each gets the newest that it has not seen. What a slow reader
 * missed is gone, so nothing piles up.
 */
export class Latest<T> {
  #value: T | undefined;
  #version = 0;
  #ended = false;
  #wake: () => void = () => {};
  #changed = new Promise<void>((resolve) => (this.#wake = resolve));

  get value(): T | undefined {
    return this.#value;
  }

  publish(value: T): void {
    if (this.#ended) return;
    this.#value = value;
    this.#version += 1;
    this.#signal();
  }

  end(): void {
    this.#ended = true;
    this.#signal();
  }

  /** Ends after the last value. */
  async *read(): AsyncGenerator<T, void, undefined> {
    let seen = 0;
    for (;;) {
      const changed = this.#changed;
      if (this.#version > seen) {
        seen = this.#version;
        yield this.#value as T;
      } else if (this.#ended) return;
      else await changed;
    }
  }

  #signal(): void {
    const wake = this.#wake;
    this.#changed = new Promise<void>((resolve) => (this.#wake = resolve));
    wake();
  }
}
