// The module of bitmap kernels: what the host may call. The typed list of the same names is `BitmapKernels` in
// src/bitmap-kernels.ts; a test compares both. Pages are u32 and relative to the bitmap; ranges are [start, end).
export { bitmapAndNot, bitmapClear, bitmapOr, bitmapSet } from './bitmap-combine';
export { bitmapAny, bitmapCount } from './bitmap-count';
export { bitmapExtract } from './bitmap-extract';
export { bitmapHarvest, bitmapHarvestAtomic } from './bitmap-harvest';
export { bitmapHistogram } from './bitmap-histogram';
export { bitmapRuns } from './bitmap-runs';
export { bitmapInitialize, bitmapNextPage } from './bitmap-words';
