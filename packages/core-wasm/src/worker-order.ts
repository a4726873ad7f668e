import type { Address } from './kernels.js';
import type { PageRange, ScanControl } from './worker-control.js';

/** What a pool scans for. */
export type ScanOperation = (typeof operations)[number];
const operations = ['count', 'extract', 'harvest', 'harvestAtomic', 'histogram', 'runs'] as const;

/** One scan as all its threads see it: numbers only, so that it can lie in shared words. */
export interface ScanOrder {
  readonly operation: ScanOperation;
  /** One number for each scan of a pool. */
  readonly scanId: number;
  /** One number for each BitmapCore of the main thread, so that a worker knows a memory again. */
  readonly coreId: number;
  readonly address: Address;
  readonly pageCount: number;
  readonly pages: PageRange;
  /** Slots, and so workspaces, of each worker; those of the first worker come first. */
  readonly workerSlots: number;
  /** Those of the pool's own thread, which come last; 0: it does not scan. */
  readonly ownSlots: number;
  /** For a harvest: the other bitmap. */
  readonly into: Address;
  /** For a histogram, else 0. */
  readonly regionPages: number;
  /** One number for each array of counts, so that a worker knows it again. */
  readonly countsId: number;
}

export const ORDER_WORDS = 12;

/** What one thread needs to take part. */
export interface ScanTask extends ScanOrder {
  readonly thread: number;
  /** The memory that is this thread's own for this scan. Each is one slot of a stream, from number `firstSlot`. */
  readonly workspaces: readonly Address[];
  readonly firstSlot: number;
  /** For a histogram: u32 for each region that `pages` touches. */
  readonly counts: SharedArrayBuffer | undefined;
}

export function writeOrder(words: Uint32Array, order: ScanOrder): void {
  const { operation, scanId, coreId, address, pageCount, pages, workerSlots } = order;
  const { ownSlots, into, regionPages, countsId } = order;
  const index = operations.indexOf(operation);
  words.set([index, scanId, coreId, address, pageCount, pages.start, pages.end]);
  words.set([workerSlots, ownSlots, into, regionPages, countsId], 7);
}

export function readOrder(words: Uint32Array): ScanOrder {
  const at = (index: number): number => words[index] ?? 0;
  return {
    operation: operations[at(0)] ?? 'count',
    scanId: at(1),
    coreId: at(2),
    address: at(3),
    pageCount: at(4),
    pages: { start: at(5), end: at(6) },
    workerSlots: at(7),
    ownSlots: at(8),
    into: at(9),
    regionPages: at(10),
    countsId: at(11),
  };
}

/** @param own whether the thread is the pool's own */
export function taskOf(
  control: ScanControl,
  order: ScanOrder,
  thread: number,
  own = false,
): Omit<ScanTask, 'counts'> {
  const firstSlot = thread * order.workerSlots;
  const slotCount = own ? order.ownSlots : order.workerSlots;
  const workspaces = Array.from({ length: slotCount }, (_, index) => control.workspaceAt(firstSlot + index));
  return { ...order, thread, firstSlot, workspaces };
}
