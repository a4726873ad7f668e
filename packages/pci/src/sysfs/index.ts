export type { SysfsOptions } from './attributes.js';
export { SysfsError } from './errors.js';
export { type FunctionSummary, listFunctions, readFunctionImage, readFunctionSummary } from './functions.js';
export { barFilePath } from './bar-file.js';
export { type FunctionRecords, readFunctionRecords } from './records.js';
export { type OpenConfigAccess, openConfigAccess } from './config-file.js';
export { canResetFunction, resetFunction } from './reset.js';
export { type PciIds, loadPciIds, parsePciIds, type SubsystemIds } from './pci-ids.js';
export { parseResources } from './resources.js';
