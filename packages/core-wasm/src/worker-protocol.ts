// What the pool and its workers say to each other.
import type { Address, CoreBuild } from './kernels.js';
import type { PageRange } from './worker-control.js';
import type { EncodedError } from './worker-errors.js';

/** What a pool scans for. */
export type ScanOperation = 'count' | 'extract' | 'harvest' | 'harvestAtomic' | 'histogram' | 'runs';

/** Everything a thread needs to take part in a scan; can be posted. */
export interface ScanTask {
  readonly operation: ScanOperation;
  /** One number for each BitmapCore of the main thread, so that a worker knows a memory again. */
  readonly coreId: number;
  readonly memory: WebAssembly.Memory;
  readonly build: CoreBuild;
  readonly simd: boolean;
  readonly address: Address;
  readonly pageCount: number;
  readonly pages: PageRange;
  readonly control: SharedArrayBuffer;
  readonly threadCount: number;
  /** Which of the threads this one is. */
  readonly thread: number;
  /** The memory that is this thread's own for this scan. Each is one slot of a stream, from number `firstSlot`. */
  readonly workspaces: readonly Address[];
  readonly firstSlot: number;
  /** For a harvest: the other bitmap. */
  readonly into?: Address;
  /** For a histogram: u32 for each region that `pages` touches. */
  readonly counts?: SharedArrayBuffer;
  readonly regionPages?: number;
}

/** The first message: all others go over the port, so that nobody else's messages are taken for ours. */
export interface Greeting {
  readonly port: MessagePort;
}

/** Sent beside comlink's messages when a consumer waits for a batch; comlink passes over what carries no `id`. */
export const WAKE = 'wake';

/** `undefined`: the thread did what it found to do. */
export type TaskReply = EncodedError | undefined;

/** What the pool calls through comlink. It never throws: comlink would keep neither class nor code. */
export interface WorkerApi {
  /** Answers when every kernel has run once. */
  warmUp(): TaskReply;
  run(task: ScanTask): TaskReply;
}
