import { BitmapCore, MAXIMUM_MEMORY_BYTES } from './bitmap-core.js';
import { CoreRangeError, CoreTypeError } from './errors.js';
import type { Address } from './kernels.js';
import { requireInteger } from './u32.js';

/** Page numbers and the end of a range are 32-bit numbers in the kernels. */
export const MAXIMUM_PAGE_COUNT = 2 ** 32 - 1;

/** The parts of a DirtyBitmap that the checks look at. */
interface Place {
  readonly core: BitmapCore;
  readonly address: Address;
  readonly pageCount: number;
  readonly baseFrame: number;
  readonly endFrame: number;
}

/** Whole 64-bit words. */
export function bitmapBytes(pageCount: number): number {
  return 8 * Math.ceil(pageCount / 64);
}

/** @throws {CoreTypeError | CoreRangeError} it is not a bitmap's worth of bytes inside the memory */
export function requireBitmapPlace(core: BitmapCore, address: Address, pageCount: number, baseFrame: number): void {
  if (!(core instanceof BitmapCore)) throw new CoreTypeError(`core must be a BitmapCore, not ${typeof core}`);
  requireInteger('pageCount', pageCount, 1, MAXIMUM_PAGE_COUNT);
  requireInteger('baseFrame', baseFrame, 0, Number.MAX_SAFE_INTEGER - pageCount);
  requireInteger('address', address, 0, MAXIMUM_MEMORY_BYTES);
  const end = address + bitmapBytes(pageCount);
  if (address % 8 !== 0) {
    throw new CoreRangeError('CORE_ARGUMENT_RANGE', `address is ${address}: pass a multiple of 8`);
  }
  const memoryBytes = Math.min(core.memory.buffer.byteLength, MAXIMUM_MEMORY_BYTES);
  if (end > memoryBytes) {
    const found = `the bitmap at ${address} would end at byte ${end}, the memory has ${memoryBytes}`;
    throw new CoreRangeError(
      'CORE_ARGUMENT_RANGE',
      `${found}: pass another address, fewer pages, or grow the memory`,
    );
  }
}

/** @throws {CoreTypeError | CoreRangeError} not `baseFrame <= startFrame <= endFrame <= the bitmap's end` */
export function requireRange(bitmap: Place, startFrame: number, endFrame: number): void {
  requireInteger('startFrame', startFrame, bitmap.baseFrame, bitmap.endFrame);
  requireInteger('endFrame', endFrame, startFrame, bitmap.endFrame);
}

/** @throws {CoreTypeError} the two cannot be worked on word by word */
export function requireSibling(bitmap: Place, name: string, other: Place): void {
  if (typeof other !== 'object' || !(other?.core instanceof BitmapCore)) {
    throw new CoreTypeError(`${name} must be a DirtyBitmap, not ${other === null ? 'null' : typeof other}`);
  }
  if (other.core.memory !== bitmap.core.memory) {
    throw new CoreTypeError(`${name} lies in another memory: copy it with DirtyBitmap.fromBytes first`);
  }
  if (other.pageCount !== bitmap.pageCount || other.baseFrame !== bitmap.baseFrame) {
    const found = `${name} has ${other.pageCount} pages from frame ${other.baseFrame}`;
    throw new CoreTypeError(
      `${found}, this one ${bitmap.pageCount} from ${bitmap.baseFrame}: pass one of the same place`,
    );
  }
}

/**
 * @returns its logarithm
 * @throws {CoreTypeError | CoreRangeError} not a power of two from 1 to 2^31
 */
export function requireRegionPages(regionPages: number): number {
  requireInteger('regionPages', regionPages, 1, 2 ** 31);
  const shift = 31 - Math.clz32(regionPages);
  if (2 ** shift !== regionPages) {
    throw new CoreRangeError('CORE_ARGUMENT_RANGE', `regionPages is ${regionPages}: pass a power of two`);
  }
  return shift;
}
