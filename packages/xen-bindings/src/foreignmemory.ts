import { loadAddon } from './addon.js';
import { requireDomid, requireInteger, requireRange, requireU32, requireU64 } from './arguments.js';
import { openNative } from './availability.js';
import { calling } from './errors.js';
import type { NativeForeignMemory, NativeMapping } from './native-types.js';

/** Types of XENMEM_acquire_resource (xen/include/public/memory.h). */
export const ResourceType = { ioreqServer: 0, grantTable: 1, vmtraceBuffer: 2 } as const;

/** Frames of one mapping. 256 MiB; a request of a guest needs 9 at most. Protects this process's memory. */
export const MAPPED_FRAMES_MAX = 65_536;

/** Memory of a domain in this process. It keeps a dying domain in existence until it is closed or collected. */
export class Mapping {
  readonly #native: NativeMapping;

  /** Use `ForeignMemory`. */
  constructor(native: NativeMapping) {
    this.#native = native;
  }

  /**
   * The pages, 4096 bytes each; of length 0 after close(). The domain changes them at any time, so copy before you
   * check. Writing to a mapping that was made read-only ends the process (SIGSEGV).
   */
  get buffer(): ArrayBuffer {
    return this.#native.buffer;
  }

  /** Empties `buffer` and unmaps at once. */
  close(): void {
    const { pages, buffer } = this.#native;
    loadAddon().ForeignMemory.unmap(pages, buffer);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Memory of other domains: libxenforeignmemory, `/dev/xen/privcmd`. Mappings stay when the object that made them
 * closes. Every method throws XenCallError when Xen refuses and XenError `XEN_CLOSED` after close().
 */
export class ForeignMemory {
  readonly #native: NativeForeignMemory;

  private constructor(native: NativeForeignMemory) {
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): ForeignMemory {
    return new ForeignMemory(openNative(['xenforeignmemory'], (addon) => new addon.ForeignMemory()));
  }

  /** Maps `count` frames, from `frame` on, of a resource ({@link ResourceType}), readable and writable. */
  mapResource(domid: number, type: number, id: number, frame: number, count: number): Mapping {
    requireDomid(domid);
    requireU32('type', type);
    requireU32('id', id);
    requireU32('frame', frame);
    requireInteger('count', count, 1, MAPPED_FRAMES_MAX);
    requireRange('frames', BigInt(frame), BigInt(count));
    return new Mapping(
      calling(() => this.#native.xenforeignmemory_map_resource(domid, type, id, BigInt(frame), BigInt(count))),
    );
  }

  /**
   * Maps guest frames in the given order as one piece.
   * @throws XenCallError with the errno of the first frame that cannot be mapped; then none stays mapped.
   */
  map(domid: number, gfns: readonly bigint[], writable: boolean): Mapping {
    requireDomid(domid);
    requireInteger('the number of gfns', gfns.length, 1, MAPPED_FRAMES_MAX);
    const frames = BigUint64Array.from(gfns, (gfn, index) => requireU64(`gfns[${index}]`, gfn));
    return new Mapping(calling(() => this.#native.xenforeignmemory_map(domid, frames, writable)));
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
