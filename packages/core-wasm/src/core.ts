import { CoreError, CoreTypeError } from './errors.js';
import { instantiateKernels, type Address, type CoreBuild, type Kernels } from './kernels.js';
import { requireInteger } from './u32.js';

export interface CoreOptions {
  /** Default `release`. */
  readonly build?: CoreBuild;
}

const PAGE_BYTES = 65_536;

/** 64 MiB. The largest file and the largest table need 0.5 MiB together; what asks for more has lost count. */
const MAXIMUM_PAGES = 1024;

/** Nothing in a kernel needs more than the alignment of a 16-byte vector. */
const ALIGNMENT_BYTES = 16;

/**
 * One linear memory and the kernels that work on it.
 *
 * Storage is handed out from bottom to top and never taken back: make one core for things that live and die
 * together, and drop the core with them. Cores share the compiled code, not their memory.
 */
export class Core {
  readonly build: CoreBuild;
  readonly memory: WebAssembly.Memory;
  /** For the wrappers of this package: the arguments are not checked. */
  readonly kernels: Kernels;
  #end: Address;

  /** @throws {CoreTypeError} `build` is not one of the two */
  constructor(options: CoreOptions = {}) {
    this.build = options.build ?? 'release';
    if (this.build !== 'release' && this.build !== 'debug') {
      throw new CoreTypeError(`build is ${String(this.build)}: pass 'release' or 'debug'`);
    }
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES });
    this.kernels = instantiateKernels(this.build, this.memory);
    this.#end = this.kernels.heapBase();
  }

  /**
   * Reserves zeroed storage. Where the memory has to grow, typed arrays over the old `memory.buffer` become empty.
   *
   * @param sizeBytes 1 … 64 MiB
   * @returns its address, a multiple of 16
   * @throws {CoreTypeError | CoreRangeError} `sizeBytes` is no such number
   * @throws {CoreError} `CORE_MEMORY_LIMIT`: this core's 64 MiB are used up, or the system has no memory to give
   */
  allocate(sizeBytes: number): Address {
    requireInteger('sizeBytes', sizeBytes, 1, MAXIMUM_PAGES * PAGE_BYTES);
    const address = Math.ceil(this.#end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    const end = address + sizeBytes;
    this.#growTo(end);
    this.#end = end;
    return address;
  }

  #growTo(end: Address): void {
    const missingPages = Math.ceil((end - this.memory.buffer.byteLength) / PAGE_BYTES);
    if (missingPages <= 0) return;
    try {
      this.memory.grow(missingPages);
    } catch (cause) {
      const found = `linear memory would end at byte ${end}, the limit is ${MAXIMUM_PAGES} pages of 64 KiB`;
      const advice = 'use one Core for each thing that is dropped whole';
      throw new CoreError('CORE_MEMORY_LIMIT', `${found}: ${advice}`, { cause });
    }
  }
}
