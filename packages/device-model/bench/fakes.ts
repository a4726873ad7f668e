import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionImage } from '@xenpt/pci';
import { DeviceConfig, DeviceMemory } from '@xenpt/xen-bindings';
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

const barBytes = 0x2_0000;

/** A card of files, which are read and written as those of sysfs are. */
export class QuietDevice implements HostDevice {
  readonly image: FunctionImage;
  readonly config: DeviceConfig;
  readonly #folder = mkdtempSync(join(tmpdir(), 'xenpt-bench-'));
  readonly #bar: DeviceMemory;

  constructor(image: FunctionImage) {
    this.image = image;
    const [config, bar] = [join(this.#folder, 'config'), join(this.#folder, 'resource')];
    writeFileSync(config, image.config);
    writeFileSync(bar, new Uint8Array(barBytes).fill(0xa5));
    this.config = DeviceConfig.open(config);
    this.#bar = DeviceMemory.open(bar);
  }

  openBar(): BarAccess {
    return this.#bar;
  }

  close(): void {
    this.config.close();
    this.#bar.close();
    rmSync(this.#folder, { recursive: true });
  }
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
