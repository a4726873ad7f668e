// What the host may call. The typed list of the same names is `Kernels` in src/kernels.ts; a test compares both.
export {
  messageTableInitialize,
  messageTableIsChanged,
  messageTableRead,
  messageTableReadHigh,
  messageTableReset,
  messageTableSetChanged,
  messageTableStorageBytes,
  messageTableWord,
  messageTableWrite,
} from './message-table';
export {
  registerFileDefine,
  registerFileHardwareByteEnables,
  registerFileHardwareValue,
  registerFileInitialize,
  registerFileNeedsHardwareToRead,
  registerFileNeedsHardwareToWrite,
  registerFileRead,
  registerFileReadBatch,
  registerFileReset,
  registerFileSetShadow,
  registerFileShadow,
  registerFileStorageBytes,
  registerFileWrite,
  registerFileWriteBatch,
} from './register-file';

/** First byte the module itself does not use: below it lie its constants (assertion texts of the debug build). */
export function heapBase(): usize {
  return __heap_base;
}
