export type { ScanProgress } from './worker-job.js';
export { OFFLOAD_BYTES, ScanPool, type RegionCounts, type ScanOptions, type ScanPoolOptions } from './worker-pool.js';
export type { ScanOperation } from './worker-order.js';
export type { BatchIterator } from './worker-stream.js';
