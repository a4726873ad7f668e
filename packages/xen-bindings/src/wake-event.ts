import { loadAddon } from './addon.js';
import { calling } from './errors.js';
import type { NativeWakeEvent } from './native-types.js';

/**
 * An eventfd that ends another thread's wait: give `fd` to `IoreqPort.open` on that thread and call wake() on this
 * one. Needs the addon, not Xen. @throws XenUnavailableError when the addon is missing.
 */
export class WakeEvent {
  readonly #native: NativeWakeEvent;

  constructor() {
    const addon = loadAddon();
    this.#native = calling(() => new addon.WakeEvent());
  }

  /** Valid in every thread of this process until close(). */
  get fd(): number {
    return calling(() => this.#native.fd());
  }

  /** Makes the descriptor readable. Several calls before the sleeper looks are one. */
  wake(): void {
    calling(() => this.#native.wake());
  }

  /** Makes it unreadable again. IoreqPort.next() does this itself when it returns -2. */
  drain(): void {
    calling(() => this.#native.drain());
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
