import { openNative } from './availability.js';
import { calling } from './errors.js';
import type { NativeWakeEvent } from './native-types.js';

/**
 * An event channel of this domain to itself that ends another thread's wait: give `port` to `IoreqPort.open` on that
 * thread and call wake() on this one. To be closed after that port.
 */
export class WakeEvent {
  readonly #native: NativeWakeEvent;

  private constructor(native: NativeWakeEvent) {
    this.#native = native;
  }

  /** @throws XenUnavailableError, XenCallError */
  static open(): WakeEvent {
    return new WakeEvent(openNative(['xenevtchn'], (addon) => new addon.WakeEvent()));
  }

  /** For one `IoreqPort`. @throws XenError `XEN_CLOSED` */
  get port(): number {
    return calling(() => this.#native.port());
  }

  /** Several calls may be one for the sleeper; one before it sleeps is not lost. */
  wake(): void {
    calling(() => this.#native.wake());
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
