export type { SysfsOptions } from './attributes.js';
export { SysfsError } from './errors.js';
export {
  type FunctionSummary,
  listFunctions,
  listResources,
  readFunctionImage,
  readFunctionSummary,
} from './functions.js';
export { barFilePath, configFilePath } from './bar-file.js';
export { type FunctionRecords, readFunctionRecords, type RecordOptions } from './records.js';
export { readHostFacts } from './host-facts.js';
export { packTree, type TreeEntry, unpackTree, writeTree } from './archive.js';
export { captureTree } from './capture.js';
export { type OpenConfigAccess, openConfigAccess } from './config-file.js';
export { canResetFunction, resetFunction } from './reset.js';
export { readFunctionRom } from './rom.js';
export { type PciIds, loadPciIds, parsePciIds, type SubsystemIds } from './pci-ids.js';
export { parseResources } from './resources.js';
