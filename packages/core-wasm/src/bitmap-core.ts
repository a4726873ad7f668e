import { bitmapVariant, instantiateBitmapKernels, loadBitmapKernels, type BitmapKernels } from './bitmap-kernels.js';
import { CoreError, CoreRangeError, CoreTypeError } from './errors.js';
import type { Address, CoreBuild } from './kernels.js';
import { requireInteger } from './u32.js';

/**
 * Bytes at the beginning of a core's region that are its own: one output buffer of 64 Ki u32 and the room behind it
 * that kernels may write before they know how much they keep, the lookup table, a few words of state.
 */
export const BITMAP_WORKSPACE_BYTES = 327_680;

export interface BitmapCoreOptions {
  /** Work in this memory, shared or not. Default: a new one. */
  readonly memory?: WebAssembly.Memory;
  /**
   * First byte this core may use, a multiple of 64. Default 0. Two cores over one memory, in two threads or one, need
   * regions that do not overlap.
   */
  readonly start?: Address;
  /**
   * Where the region ends, in bytes; default: as far as the memory can grow. `start + BITMAP_WORKSPACE_BYTES` makes a
   * core that scans what others allocate.
   */
  readonly end?: Address;
  /** For a new memory only: shared between threads. Default false. */
  readonly shared?: boolean;
  /** For a new memory only: how far it may grow, in bytes. Default 1 GiB; limit 4 GiB - 64 KiB. */
  readonly maximumBytes?: number;
  /** Default `release`. */
  readonly build?: CoreBuild;
  /** `false` takes the kernels without SIMD. Default: what the engine has. */
  readonly simd?: boolean;
}

const PAGE_BYTES = 65_536;
const DEFAULT_MAXIMUM_BYTES = 2 ** 30;

/** One page short of the address space, so that the end of everything is still a 32-bit address. */
export const MAXIMUM_MEMORY_BYTES = 2 ** 32 - PAGE_BYTES;

/** A cache line: what one thread writes must not lie beside what another reads. */
const ALIGNMENT_BYTES = 64;

/** Where the output buffer lies in the workspace. */
const BATCH_OFFSET = 64 + 8192;

/** What the constructor needs when the kernels are there already. */
interface Loaded {
  readonly memory: WebAssembly.Memory;
  readonly kernels: BitmapKernels;
}
const loaded = new WeakMap<BitmapCoreOptions, Loaded>();

/**
 * Linear memory of one's own or of the caller, the bitmap kernels over it, and storage handed out from bottom to top.
 * Nothing outside the region `[start, end)` is written but bitmaps that the caller has placed there.
 */
export class BitmapCore {
  readonly memory: WebAssembly.Memory;
  /** Whether other threads can have the same memory. */
  readonly shared: boolean;
  readonly simd: boolean;
  readonly build: CoreBuild;
  /** Where the region starts, with BITMAP_WORKSPACE_BYTES of workspace. */
  readonly workspaceAddress: Address;
  /** The 64 Ki u32 that batches are views of. Over shared memory another thread may read them. */
  readonly batchAddress: Address;
  /** For the wrappers of this package: the arguments are not checked. */
  readonly kernels: BitmapKernels;
  readonly #limit: Address;
  #end: Address;

  /**
   * Compiles on the spot: for Node and for workers. A browser may refuse that on its main thread: `BitmapCore.load`.
   *
   * @throws {CoreTypeError | CoreRangeError} an option is not what it says
   * @throws {CoreError} `CORE_UNSUPPORTED`: the engine lacks what was asked for; `CORE_MEMORY_LIMIT`: the memory is
   * smaller than the workspace and cannot grow
   */
  constructor(options: BitmapCoreOptions = {}) {
    const ready = loaded.get(options);
    const memory = ready?.memory ?? memoryOf(options);
    const variant = bitmapVariant(memory, options.build, options.simd);
    this.memory = memory;
    this.shared = variant.shared;
    this.simd = variant.simd;
    this.build = variant.build;
    this.workspaceAddress = options.start ?? 0;
    this.batchAddress = this.workspaceAddress + BATCH_OFFSET;
    this.#limit = options.end ?? MAXIMUM_MEMORY_BYTES;
    requireRegion(this.workspaceAddress, this.#limit);
    this.#end = this.workspaceAddress;
    this.allocate(BITMAP_WORKSPACE_BYTES);
    this.kernels = ready?.kernels ?? instantiateBitmapKernels(memory, variant);
    this.kernels.bitmapInitialize(this.workspaceAddress);
  }

  /**
   * The same without blocking, for a browser's main thread.
   *
   * @throws as the constructor does
   */
  static async load(options: BitmapCoreOptions = {}): Promise<BitmapCore> {
    const memory = memoryOf(options);
    const variant = bitmapVariant(memory, options.build, options.simd);
    const own = { ...options };
    loaded.set(own, { memory, kernels: await loadBitmapKernels(memory, variant) });
    return new BitmapCore(own);
  }

  /**
   * Reserves storage, zeroed where the memory is new. Where the memory has to grow, typed arrays over the old
   * `memory.buffer` become empty, or, over shared memory, stay as long as they were.
   *
   * @param sizeBytes 1 … 4 GiB - 64 KiB
   * @returns its address, a multiple of 64
   * @throws {CoreTypeError | CoreRangeError} `sizeBytes` is no such number
   * @throws {CoreError} `CORE_MEMORY_LIMIT`: the region is used up, or the memory cannot grow as far
   */
  allocate(sizeBytes: number): Address {
    requireInteger('sizeBytes', sizeBytes, 1, MAXIMUM_MEMORY_BYTES);
    const address = this.#end;
    const end = address + Math.ceil(sizeBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    if (end > this.#limit) throw new CoreError('CORE_MEMORY_LIMIT', regionIsFull(end, this.#limit));
    growTo(this.memory, end);
    this.#end = end;
    return address;
  }
}

function memoryOf(options: BitmapCoreOptions): WebAssembly.Memory {
  const { memory } = options;
  if (memory === undefined) return newMemory(options.shared ?? false, options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES);
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new CoreTypeError(`memory must be a WebAssembly.Memory, not ${typeof memory}`);
  }
  if (options.shared !== undefined || options.maximumBytes !== undefined) {
    throw new CoreTypeError('memory is given: leave out shared and maximumBytes, they describe a new one');
  }
  return memory;
}

function newMemory(shared: boolean, maximumBytes: number): WebAssembly.Memory {
  if (typeof shared !== 'boolean') throw new CoreTypeError(`shared must be a boolean, not ${typeof shared}`);
  requireInteger('maximumBytes', maximumBytes, BITMAP_WORKSPACE_BYTES, MAXIMUM_MEMORY_BYTES);
  const maximum = Math.ceil(maximumBytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: BITMAP_WORKSPACE_BYTES / PAGE_BYTES, maximum, shared });
  } catch (cause) {
    const advice = 'pass a smaller maximumBytes, or shared: false where there is no shared memory';
    throw new CoreError('CORE_MEMORY_LIMIT', `no memory of at most ${maximum} pages of 64 KiB: ${advice}`, { cause });
  }
}

function requireRegion(start: Address, end: Address): void {
  requireInteger('start', start, 0, MAXIMUM_MEMORY_BYTES - BITMAP_WORKSPACE_BYTES);
  if (start % ALIGNMENT_BYTES !== 0) {
    throw new CoreRangeError('CORE_ARGUMENT_RANGE', `start is ${start}: pass a multiple of ${ALIGNMENT_BYTES}`);
  }
  requireInteger('end', end, start + BITMAP_WORKSPACE_BYTES, MAXIMUM_MEMORY_BYTES);
}

function regionIsFull(end: Address, limit: Address): string {
  return `the storage would end at byte ${end}, this core's region ends at ${limit}: give it a larger region`;
}

function growTo(memory: WebAssembly.Memory, end: Address): void {
  const missingPages = Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES);
  if (missingPages <= 0) return;
  try {
    memory.grow(missingPages);
  } catch (cause) {
    const found = `linear memory would end at byte ${end}, further than its maximum or than the system gives`;
    throw new CoreError('CORE_MEMORY_LIMIT', `${found}: make it with a larger maximum`, { cause });
  }
}
