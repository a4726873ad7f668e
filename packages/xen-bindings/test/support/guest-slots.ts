import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeXen, until } from './fake-xen.js';

export interface SlotRequest {
  readonly addr?: bigint;
  readonly data?: bigint;
  readonly count?: number;
  readonly size?: number;
  /** Bits 4 to 7 of byte 30: 0x10 data_is_ptr, 0x20 read, 0x40 df, 0x80 spare. */
  readonly flags?: number;
  readonly type?: number;
}

export const SlotState = { none: 0, ready: 1, inProcess: 2, responseReady: 3 } as const;

const SLOT_SIZE = 32;
/** Remote port of vCPU n is this + n; the fake's local port is 1000 more. */
const FIRST_REMOTE_PORT = 40;
export const localPort = (vcpu: number): number => 1000 + FIRST_REMOTE_PORT + vcpu;

/** Xen's side of an ioreq page: the file that the fake library maps. */
export class GuestSlots {
  readonly fileName: string;
  readonly #fake: FakeXen;
  readonly #fd: number;

  constructor(fake: FakeXen, options: { domid: number; serverId: number; vcpuCount: number }) {
    this.#fake = fake;
    this.fileName = `resource-${options.domid}-0-${options.serverId}-1`;
    fake.write(this.fileName, new Uint8Array(4096));
    this.#fd = openSync(join(fake.folder, this.fileName), 'r+');
    for (let vcpu = 0; vcpu < options.vcpuCount; vcpu += 1) {
      this.#write(vcpu, 24, Uint32Array.of(FIRST_REMOTE_PORT + vcpu));
    }
  }

  /** Fills a slot in, the state last. */
  put(vcpu: number, request: SlotRequest, state: number = SlotState.ready): void {
    const { addr = 0n, data = 0n, count = 1, size = 4, flags = 0, type = 1 } = request;
    this.#write(vcpu, 0, BigUint64Array.of(addr, data));
    this.#write(vcpu, 16, Uint32Array.of(count, size));
    this.#write(vcpu, 31, Uint8Array.of(type));
    this.#write(vcpu, 30, Uint8Array.of(flags | state));
  }

  /** A request of a vCPU, with its event. */
  async ask(vcpu: number, request: SlotRequest): Promise<void> {
    this.put(vcpu, request);
    await this.#fake.raiseEvent(localPort(vcpu));
  }

  /** Waits for the answer, takes it and frees the slot, as Xen does. Returns byte 30 and data as they were. */
  async answer(vcpu: number): Promise<{ stateByte: number; data: bigint }> {
    await until(() => (this.stateByte(vcpu) & 0xf) === SlotState.responseReady);
    const answer = { stateByte: this.stateByte(vcpu), data: this.data(vcpu) };
    this.#write(vcpu, 30, Uint8Array.of(answer.stateByte & 0xf0));
    return answer;
  }

  stateByte(vcpu: number): number {
    return this.#read(vcpu, 30, 1)[0] ?? 0;
  }

  data(vcpu: number): bigint {
    return this.#read(vcpu, 8, 8).readBigUInt64LE();
  }

  eventPort(vcpu: number): number {
    return this.#read(vcpu, 24, 4).readUInt32LE();
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(vcpu: number, offset: number, content: NodeJS.ArrayBufferView): void {
    writeSync(this.#fd, content, 0, content.byteLength, vcpu * SLOT_SIZE + offset);
  }

  #read(vcpu: number, offset: number, sizeBytes: number): Buffer {
    const buffer = Buffer.alloc(sizeBytes);
    readSync(this.#fd, buffer, 0, sizeBytes, vcpu * SLOT_SIZE + offset);
    return buffer;
  }
}
