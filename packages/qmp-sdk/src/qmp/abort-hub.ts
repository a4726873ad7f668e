/**
 * One listener for each signal, however many commands wait with it: Node warns of a leak from eleven on, and one
 * signal for a hundred commands is what a signal is for.
 */
export class AbortHub {
  readonly #waiting = new Map<AbortSignal, { readonly callbacks: Set<() => void>; readonly listener: () => void }>();

  /** @returns what takes `callback` away again. */
  add(signal: AbortSignal, callback: () => void): () => void {
    let entry = this.#waiting.get(signal);
    if (entry === undefined) {
      const callbacks = new Set<() => void>();
      const listener = (): void => {
        for (const each of callbacks) each();
      };
      entry = { callbacks, listener };
      this.#waiting.set(signal, entry);
      signal.addEventListener('abort', listener, { once: true });
    }
    entry.callbacks.add(callback);
    return () => this.#remove(signal, callback);
  }

  #remove(signal: AbortSignal, callback: () => void): void {
    const entry = this.#waiting.get(signal);
    if (entry?.callbacks.delete(callback) !== true || entry.callbacks.size > 0) return;
    this.#waiting.delete(signal);
    signal.removeEventListener('abort', entry.listener);
  }
}
