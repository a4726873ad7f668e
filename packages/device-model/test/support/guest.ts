import { RequestHandler, type GuestMemory } from '../../src/ioreq.js';

export interface RequestFields {
  readonly type: number;
  readonly address?: bigint;
  readonly data?: bigint;
  readonly size?: number;
  readonly count?: number;
  readonly read?: boolean;
  readonly pointer?: boolean;
  readonly descending?: boolean;
}

/** The 32 bytes of an ioreq_t. */
export function request(fields: RequestFields): DataView {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, BigInt.asUintN(64, fields.address ?? 0n), true);
  view.setBigUint64(8, BigInt.asUintN(64, fields.data ?? 0n), true);
  view.setUint32(16, fields.count ?? 1, true);
  view.setUint32(20, fields.size ?? 4, true);
  const flags = (fields.pointer ? 0x10 : 0) | (fields.read ? 0x20 : 0) | (fields.descending ? 0x40 : 0);
  view.setUint8(30, 1 | flags);
  view.setUint8(31, fields.type);
  return view;
}

/** A guest's processor: everything it does goes through a request, as in life. */
export class Guest {
  readonly handler: RequestHandler;
  readonly #sbdf: bigint;

  constructor(handler: RequestHandler, devfn: number) {
    this.handler = handler;
    this.#sbdf = BigInt(devfn) << 32n;
  }

  readConfig(offset: number, size = 4): number {
    this.handler.handle(request({ type: 2, address: this.#sbdf | BigInt(offset), size, read: true }));
    return this.handler.dataLow;
  }

  writeConfig(offset: number, value: number, size = 4): void {
    this.handler.handle(request({ type: 2, address: this.#sbdf | BigInt(offset), size, data: BigInt(value >>> 0) }));
  }

  readMemory(address: number, size = 4): bigint {
    this.handler.handle(request({ type: 1, address: BigInt(address), size, read: true }));
    return (BigInt(this.handler.dataHigh) << 32n) | BigInt(this.handler.dataLow);
  }

  writeMemory(address: number, value: number | bigint, size = 4): void {
    this.handler.handle(request({ type: 1, address: BigInt(address), size, data: BigInt(value) }));
  }

  /** Writes all ones, reads back, as firmware finds the size of a BAR; decode should be off. */
  sizeOfBar(index: number): number {
    const offset = index === 6 ? 0x30 : 0x10 + index * 4;
    this.writeConfig(offset, 0xffff_ffff);
    const mask = this.readConfig(offset);
    const flags = index === 6 ? 0x7ff : (mask & 1) === 1 ? 3 : 15;
    return ((~(mask & ~flags) >>> 0) + 1) >>> 0;
  }

  placeBar(index: number, address: number): void {
    this.writeConfig(0x10 + index * 4, address);
  }

  command(value: number): void {
    this.writeConfig(0x04, value, 2);
  }
}

/** A little of a guest's RAM. */
export class FakeGuestMemory implements GuestMemory {
  readonly bytes: Uint8Array;
  /** Requests that said they are over. */
  released = 0;
  readonly #start: number;

  constructor(start: number, sizeBytes: number) {
    this.#start = start;
    this.bytes = new Uint8Array(sizeBytes);
  }

  read(address: number, bytes: Uint8Array): boolean {
    const offset = address - this.#start;
    if (offset < 0 || offset + bytes.length > this.bytes.length) return false;
    bytes.set(this.bytes.subarray(offset, offset + bytes.length));
    return true;
  }

  write(address: number, bytes: Uint8Array): boolean {
    const offset = address - this.#start;
    if (offset < 0 || offset + bytes.length > this.bytes.length) return false;
    this.bytes.set(bytes, offset);
    return true;
  }

  release(): void {
    this.released += 1;
  }
}
