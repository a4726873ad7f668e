export type { ScanProgress } from './worker-job.js';
export type { ScanOptions } from './worker-plan.js';
export { OFFLOAD_BYTES, ScanPool, type RegionCounts, type ScanPoolOptions } from './worker-pool.js';
export type { ScanOperation } from './worker-order.js';
export type { BatchIterator } from './worker-stream.js';
