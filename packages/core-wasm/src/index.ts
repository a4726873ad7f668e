export { Core, type CoreOptions } from './core.js';
export { CoreError, CoreRangeError, CoreTypeError, type CoreErrorCode } from './errors.js';
export type { CoreBuild } from './kernels.js';
export { MessageTable, MessageTableEvent } from './message-table.js';
export { RegisterFile, type WordRule } from './register-file.js';
