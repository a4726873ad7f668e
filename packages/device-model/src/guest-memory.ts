import type { ForeignMemory, Mapping } from '@xenpt/xen-bindings';
import type { GuestMemory } from './ioreq.js';

const pageBytes = 4096;

/**
 * Guest memory through libxenforeignmemory. The page of the last element stays mapped for the next one, until the
 * request ends: a request has up to 4096 elements on a page or two. After it nothing is mapped, for an INVALIDATE to
 * drop or for a dying domain to wait for.
 */
export class ForeignGuestMemory implements GuestMemory {
  readonly #memory: ForeignMemory;
  readonly #domid: number;
  #mapping: Mapping | null = null;
  #page = new Uint8Array(0);
  #start = -1;
  #writable = false;

  constructor(memory: ForeignMemory, domid: number) {
    this.#memory = memory;
    this.#domid = domid;
  }

  read(address: number, bytes: Uint8Array): boolean {
    return this.#eachPage(address, bytes, false);
  }

  write(address: number, bytes: Uint8Array): boolean {
    return this.#eachPage(address, bytes, true);
  }

  release(): void {
    const mapping = this.#mapping;
    this.#mapping = null;
    this.#start = -1;
    mapping?.close();
  }

  #eachPage(address: number, bytes: Uint8Array, writes: boolean): boolean {
    if (!Number.isSafeInteger(address) || address < 0) return false;
    try {
      for (let done = 0; done < bytes.length;) {
        const offset = (address + done) % pageBytes;
        const length = Math.min(bytes.length - done, pageBytes - offset);
        this.#map(address + done - offset, writes);
        for (let index = 0; index < length; index += 1) {
          if (writes) this.#page[offset + index] = bytes[done + index] ?? 0;
          else bytes[done + index] = this.#page[offset + index] ?? 0;
        }
        done += length;
      }
      return true;
    } catch {
      return false;
    }
  }

  #map(start: number, writable: boolean): void {
    if (this.#start === start && this.#writable === writable) return;
    this.release();
    this.#mapping = this.#memory.map(this.#domid, [BigInt(start / pageBytes)], writable);
    this.#page = new Uint8Array(this.#mapping.buffer);
    this.#start = start;
    this.#writable = writable;
  }
}
