import type { AccessWidth, FunctionImage } from '@xenpt/pci';
import type { BarAccess, HostDevice } from '../src/host-device.js';
import type { Hypervisor } from '../src/hypervisor.js';
import type { WorkerCall, WorkerMessage } from '../src/protocol.js';
import type { ControlPort, RequestPort } from '../src/serve.js';

/** Says yes to everything and keeps nothing but a count, so that what is measured is the loop. */
export class QuietHypervisor implements Hypervisor {
  calls = 0;
  claimFunction = this.#count;
  releaseFunction = this.#count;
  claimMemory = this.#count;
  releaseMemory = this.#count;
  claimPorts = this.#count;
  releasePorts = this.#count;
  mapMemory = this.#count;
  unmapMemory = this.#count;
  mapPorts = this.#count;
  unmapPorts = this.#count;
  mapGsi = this.#pirq;
  mapMsi = this.#pirq;
  unmapPirq = this.#count;
  bindIntx = this.#count;
  unbindIntx = this.#count;
  bindMsi = this.#count;
  unbindMsi = this.#count;

  #count(): void {
    this.calls += 1;
  }

  #pirq(): number {
    this.calls += 1;
    return 16 + this.calls;
  }
}

/** A card in memory. */
export class QuietDevice implements HostDevice {
  readonly image: FunctionImage;
  readonly config = {
    read: (offset: number, width: AccessWidth): number => {
      if (width === 4) return this.#view.getUint32(offset, true);
      return width === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint8(offset);
    },
    write: (offset: number, width: AccessWidth, value: number): void => {
      if (width === 4) this.#view.setUint32(offset, value, true);
      else if (width === 2) this.#view.setUint16(offset, value, true);
      else this.#view.setUint8(offset, value);
    },
  };
  readonly #view: DataView;
  readonly #bar: BarAccess = { high: 0, read: () => 0x1234_5678, write: () => {} };

  constructor(image: FunctionImage) {
    this.image = image;
    this.#view = new DataView(Uint8Array.from(image.config).buffer);
  }

  openBar(): BarAccess {
    return this.#bar;
  }

  close(): void {}
}

/** Plays `requests` round and round, `count` in all, then says stop. */
export class Replay implements RequestPort, ControlPort {
  request: DataView;
  readonly #requests: readonly DataView[];
  #left: number;
  #next = 0;

  constructor(requests: readonly DataView[], count: number) {
    const first = requests[0];
    if (first === undefined) throw new RangeError('a replay needs a request');
    this.#requests = requests;
    this.request = first;
    this.#left = count;
  }

  next(timeoutMs: number): number {
    if (timeoutMs === 0) return -1;
    if (this.#left === 0) return -2;
    this.#left -= 1;
    this.request = this.#requests[this.#next] ?? this.request;
    this.#next = this.#next + 1 === this.#requests.length ? 0 : this.#next + 1;
    return 0;
  }

  complete(): void {}

  close(): void {}

  receive(): WorkerCall | undefined {
    return { id: 1, method: 'stop', argument: null };
  }

  send(_message: WorkerMessage): void {}
}
