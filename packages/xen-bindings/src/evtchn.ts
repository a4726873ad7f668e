import { requireDomid, requireU32 } from './arguments.js';
import { openNative } from './availability.js';
import { calling } from './errors.js';
import type { NativeEventChannels } from './native-types.js';

/**
 * Event channels: libxenevtchn, `/dev/xen/evtchn`. One reader per handle; use it on the thread that opened it.
 * Every method throws XenCallError when Xen refuses and XenError `XEN_CLOSED` after close().
 */
export class EventChannels {
  readonly #native: NativeEventChannels;

  private constructor(native: NativeEventChannels) {
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): EventChannels {
    return new EventChannels(openNative(['xenevtchn'], (addon) => new addon.EventChannels()));
  }

  /** Binds a domain's port. Returns the local port, whose first event is pending at once. */
  bindInterdomain(domid: number, remotePort: number): number {
    requireDomid(domid);
    requireU32('remotePort', remotePort);
    return calling(() => this.#native.xenevtchn_bind_interdomain(domid, remotePort));
  }

  unbind(port: number): void {
    requireU32('port', port);
    calling(() => this.#native.xenevtchn_unbind(port));
  }

  notify(port: number): void {
    requireU32('port', port);
    calling(() => this.#native.xenevtchn_notify(port));
  }

  /** One local port that has an event, now masked until unmask(); null when there is none. Does not block. */
  pending(): number | null {
    return calling(() => this.#native.xenevtchn_pending());
  }

  /** Lets a port raise events again. Do it before looking at what the event announced. */
  unmask(port: number): void {
    requireU32('port', port);
    calling(() => this.#native.xenevtchn_unmask(port));
  }

  /** Readable while an event is pending. Belongs to this object: do not close it. */
  get fd(): number {
    return calling(() => this.#native.xenevtchn_fd());
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
