import type { QmpEvent } from './command-map.js';
import type { CloseInfo } from './options.js';

/** Someone who wants to know of events, and of the end. */
export interface Subscriber {
  /** @returns how many events were lost by this one. */
  event(event: QmpEvent): number;
  closed(info: CloseInfo): void;
}

/** Who wants which events. Most events have no reader: they cost one look-up. */
export class Subscriptions {
  readonly #byName = new Map<string, Set<Subscriber>>();
  readonly #all = new Set<Subscriber>();

  /** `names` undefined: every event. @returns what ends it. */
  add(names: readonly string[] | undefined, subscriber: Subscriber): () => void {
    if (names === undefined) {
      this.#all.add(subscriber);
      return () => this.#all.delete(subscriber);
    }
    for (const name of names) {
      const readers = this.#byName.get(name) ?? new Set();
      this.#byName.set(name, readers.add(subscriber));
    }
    return () => {
      for (const name of names) {
        const readers = this.#byName.get(name);
        if (readers?.delete(subscriber) === true && readers.size === 0) this.#byName.delete(name);
      }
    };
  }

  /** @returns how many events were lost by slow readers. */
  publish(event: QmpEvent): number {
    let lost = 0;
    const readers = this.#byName.get(event.event);
    if (readers !== undefined) for (const reader of readers) lost += reader.event(event);
    for (const reader of this.#all) lost += reader.event(event);
    return lost;
  }

  close(info: CloseInfo): void {
    const everyone = new Set([...this.#all, ...[...this.#byName.values()].flatMap((readers) => [...readers])]);
    this.#all.clear();
    this.#byName.clear();
    for (const reader of everyone) reader.closed(info);
  }
}
