export { AccessBatch } from './access-batch.js';
export { BITMAP_WORKSPACE_BYTES, BitmapCore, type BitmapCoreOptions } from './bitmap-core.js';
export {
  DirtyBitmap,
  type DirtyBitmapOptions,
  type FrameBatch,
  type FrameRun,
  type HistogramBatch,
  type RunBatch,
} from './bitmap.js';
export { Core, type CoreOptions } from './core.js';
export { CoreError, CoreRangeError, CoreTypeError, type CoreErrorCode } from './errors.js';
export type { CoreBuild } from './kernels.js';
export { MessageTable, MessageTableEvent } from './message-table.js';
export { RegisterFile, type WordRule } from './register-file.js';
