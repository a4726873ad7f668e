import { type FunctionImage, type Resource } from '../../src/index.js';

/** A configuration space under construction; the methods return it. */
export class ImageBuilder {
  readonly config: Uint8Array;
  readonly #view: DataView;

  constructor(sizeBytes = 256) {
    this.config = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.config.buffer);
  }

  u8(offset: number, ...values: number[]): this {
    this.config.set(values, offset);
    return this;
  }

  u16(offset: number, value: number): this {
    this.#view.setUint16(offset, value, true);
    return this;
  }

  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }

  /** Status bit 4 and the pointer, then each capability pointing to the next. */
  chain(...capabilities: readonly { readonly at: number; readonly id: number }[]): this {
    this.u16(0x06, 0x0010).u8(0x34, capabilities[0]?.at ?? 0);
    capabilities.forEach(({ at, id }, index) => this.u8(at, id, capabilities[index + 1]?.at ?? 0));
    return this;
  }
}

export function memory(index: number, start: bigint, sizeBytes: bigint, rest: Partial<Resource> = {}): Resource {
  return { index, kind: 'memory', start, sizeBytes, prefetchable: false, is64Bit: false, ...rest };
}

export function io(index: number, start: bigint, sizeBytes: bigint): Resource {
  return { index, kind: 'io', start, sizeBytes, prefetchable: false, is64Bit: false };
}

export function rom(start: bigint, sizeBytes: bigint): Resource {
  return { index: 6, kind: 'rom', start, sizeBytes, prefetchable: false, is64Bit: false };
}

export function functionImage(config: Uint8Array, rest: Partial<FunctionImage> = {}): FunctionImage {
  const sbdf = { segment: 0, bus: 3, device: 0, function: 0 };
  return { sbdf, config, resources: [], irq: 0, vendorId: 0x8086, deviceId: 0x10d3, ...rest };
}
