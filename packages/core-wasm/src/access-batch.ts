import type { Core } from './core.js';
import type { Address } from './kernels.js';
import { requireInteger } from './u32.js';

/** Half a MiB of storage. */
const MAXIMUM_ACCESSES = 16_384;
const NUMBERS_OF_ACCESS = 8;
const NUMBER_BYTES = 4;

/**
 * Accesses to register files that are made in one call, in their order; eight numbers for each:
 *
 *     0 offset │ 1 width │ 2 value │ 3 hardware │ 4 result │ 5 byte enables │ 6 hardware value │ 7 (free)
 *
 * 0 to 3 are what `RegisterFile.read` and `write` take, and are not trusted either; 4 is what they return; 5 and 6 are
 * `hardwareByteEnables` and `hardwareValue`, of a write.
 */
export class AccessBatch {
  readonly capacity: number;
  readonly core: Core;
  /** For the wrappers of this package. */
  readonly address: Address;
  #numbers: Uint32Array;

  /**
   * @param capacity accesses, 1 … 16384
   * @throws {CoreTypeError | CoreRangeError} `capacity` is no such number
   * @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no storage left
   */
  constructor(core: Core, capacity: number) {
    requireInteger('capacity', capacity, 1, MAXIMUM_ACCESSES);
    this.capacity = capacity;
    this.core = core;
    this.address = core.allocate(capacity * NUMBERS_OF_ACCESS * NUMBER_BYTES);
    this.#numbers = this.#view();
  }

  /** All of them, to be filled and read. Taken anew when the core has given out more storage. */
  get numbers(): Uint32Array {
    if (this.#numbers.length === 0) this.#numbers = this.#view();
    return this.#numbers;
  }

  #view(): Uint32Array {
    return new Uint32Array(this.core.memory.buffer, this.address, this.capacity * NUMBERS_OF_ACCESS);
  }
}
