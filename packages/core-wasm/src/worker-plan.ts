// What a caller asks the pool for, checked.
import { requireRange, requireRegionPages } from './bitmap-arguments.js';
import { DirtyBitmap } from './bitmap.js';
import { CoreRangeError, CoreTypeError } from './errors.js';
import type { ScanPlan, ScanProgress } from './worker-job.js';
import type { ScanOperation } from './worker-order.js';
import { CHUNK_PAGES } from './worker-scan.js';

export interface ScanOptions {
  /** Default: the bitmap's first frame. */
  readonly startFrame?: number;
  /** Default: the frame behind the bitmap's last. */
  readonly endFrame?: number;
  /** Ends the scan within a few milliseconds; it is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called about every 50 ms and at the end. An error that it throws ends the scan. */
  readonly onProgress?: (progress: ScanProgress) => void;
}

/** 64 MiB of counts. */
const MAXIMUM_REGIONS = 2 ** 24;

/** @throws {CoreTypeError | CoreRangeError} it cannot be scanned */
export function planOf(operation: ScanOperation, bitmap: DirtyBitmap, options: ScanOptions): ScanPlan {
  if (!(bitmap instanceof DirtyBitmap)) throw new CoreTypeError(`bitmap must be a DirtyBitmap, not ${typeof bitmap}`);
  if (!bitmap.core.shared) {
    const advice = 'make its core with shared: true, then workers see the same memory';
    throw new CoreTypeError(`the bitmap lies in memory that is not shared: ${advice}`);
  }
  const { startFrame = bitmap.baseFrame, endFrame = bitmap.endFrame, signal, onProgress } = options;
  requireRange(bitmap, startFrame, endFrame);
  const pages = { start: startFrame - bitmap.baseFrame, end: endFrame - bitmap.baseFrame };
  return { operation, bitmap, pages, signal, onProgress };
}

/**
 * Where the counts of a histogram go.
 *
 * @param given the caller's; left out: new memory
 * @throws {CoreTypeError | CoreRangeError} there are too many regions, or `given` has no room for them
 */
export function countsFor(
  { pages: { start, end } }: ScanPlan,
  regionPages: number,
  given: SharedArrayBuffer | undefined,
): { readonly firstRegion: number; readonly counts: Uint32Array<SharedArrayBuffer> } {
  requireRegionPages(regionPages);
  const firstRegion = Math.floor(start / regionPages);
  const regionCount = start === end ? 0 : Math.ceil(end / regionPages) - firstRegion;
  if (regionCount > MAXIMUM_REGIONS) {
    const found = `regionPages is ${regionPages}, that makes ${regionCount} regions`;
    const advice = `take larger ones, or DirtyBitmap.histogram batch by batch`;
    throw new CoreRangeError('CORE_ARGUMENT_RANGE', `${found}; the limit is ${MAXIMUM_REGIONS}: ${advice}`);
  }
  if (given !== undefined) requireRoom(given, regionCount);
  const counts = new Uint32Array(given ?? new SharedArrayBuffer(4 * regionCount), 0, regionCount);
  // Regions that several threads share are added up.
  if (given && regionPages > CHUNK_PAGES) counts.fill(0);
  return { firstRegion, counts };
}

/** @throws {CoreTypeError | CoreRangeError} */
function requireRoom(buffer: unknown, regionCount: number): void {
  if (!(buffer instanceof SharedArrayBuffer)) {
    throw new CoreTypeError(`counts must be a SharedArrayBuffer, not ${typeof buffer}`);
  }
  if (buffer.byteLength >= 4 * regionCount) return;
  const found = `counts has ${buffer.byteLength} bytes; ${regionCount} regions take ${4 * regionCount}`;
  throw new CoreRangeError('CORE_ARGUMENT_RANGE', `${found}: make it larger, or leave it out`);
}
