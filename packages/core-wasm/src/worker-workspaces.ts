import { BITMAP_WORKSPACE_BYTES, BitmapCore } from './bitmap-core.js';
import type { Address } from './kernels.js';

/**
 * The workspaces that threads need in the memory of one core. A core never takes storage back, so they are lent and
 * collected here, for all pools of this thread: the same few serve one scan after the other.
 */
export class Workspaces {
  static readonly #all = new WeakMap<BitmapCore, Workspaces>();
  static #count = 0;

  /** Tells workers one core from another. */
  readonly id = Workspaces.#count++;
  readonly #core: BitmapCore;
  readonly #free: Address[] = [];
  /** Of workspaces that this thread has used itself. */
  readonly #own = new Map<Address, BitmapCore>();

  private constructor(core: BitmapCore) {
    this.#core = core;
  }

  static of(core: BitmapCore): Workspaces {
    let workspaces = Workspaces.#all.get(core);
    if (!workspaces) {
      workspaces = new Workspaces(core);
      Workspaces.#all.set(core, workspaces);
    }
    return workspaces;
  }

  /** @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no room for as many */
  borrow(count: number): Address[] {
    while (this.#free.length < count) this.#free.push(this.#core.allocate(BITMAP_WORKSPACE_BYTES));
    return this.#free.splice(this.#free.length - count, count);
  }

  /** When no thread uses them any more. */
  giveBack(addresses: readonly Address[]): void {
    this.#free.push(...addresses);
  }

  /** The core of this thread that works there. */
  coreAt(start: Address): BitmapCore {
    let core = this.#own.get(start);
    if (!core) {
      const { memory, build, simd } = this.#core;
      core = new BitmapCore({ memory, build, simd, start, end: start + BITMAP_WORKSPACE_BYTES });
      this.#own.set(start, core);
    }
    return core;
  }

  /** Where in a workspace its output begins. */
  get batchOffset(): number {
    return this.#core.batchAddress - this.#core.workspaceAddress;
  }
}
