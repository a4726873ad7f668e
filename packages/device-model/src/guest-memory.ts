import type { ForeignMemory } from '@xenpt/xen-bindings';
import type { GuestMemory } from './ioreq.js';

const pageBytes = 4096;

/**
 * Guest memory through libxenforeignmemory, a page at a time, mapped for the one element and unmapped at once: nothing
 * is left mapped for an INVALIDATE to drop or for a dying domain to wait for. Repeated accesses to what we serve are
 * rare enough for that.
 */
export class ForeignGuestMemory implements GuestMemory {
  readonly #memory: ForeignMemory;
  readonly #domid: number;

  constructor(memory: ForeignMemory, domid: number) {
    this.#memory = memory;
    this.#domid = domid;
  }

  read(address: number, bytes: Uint8Array): boolean {
    return this.#eachPage(address, bytes, false, (page, part) => part.set(page));
  }

  write(address: number, bytes: Uint8Array): boolean {
    return this.#eachPage(address, bytes, true, (page, part) => page.set(part));
  }

  #eachPage(
    address: number,
    bytes: Uint8Array,
    writable: boolean,
    copy: (page: Uint8Array, part: Uint8Array) => void,
  ): boolean {
    if (!Number.isSafeInteger(address) || address < 0) return false;
    try {
      for (let done = 0; done < bytes.length;) {
        const offset = (address + done) % pageBytes;
        const length = Math.min(bytes.length - done, pageBytes - offset);
        const frame = BigInt((address + done - offset) / pageBytes);
        const mapping = this.#memory.map(this.#domid, [frame], writable);
        try {
          copy(new Uint8Array(mapping.buffer, offset, length), bytes.subarray(done, done + length));
        } finally {
          mapping.close();
        }
        done += length;
      }
      return true;
    } catch {
      return false;
    }
  }
}
