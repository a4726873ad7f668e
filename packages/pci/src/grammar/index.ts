export { GrammarError, type GrammarErrorDetails } from './grammar-error.js';
export { maxSpecLength } from './cursor.js';
export { type FunctionAddress, overlaps, toXenSbdf } from './function-address.js';
export { type Dialect, dialectExamples, dialectNames } from './dialects.js';
export { type DeviceSpec, formatDevice, type ParsedDevice, parseDevice } from './device.js';
export type { XlOptions } from './xl-options.js';
export {
  formatHiddenFunctions,
  type HiddenFunctions,
  maxListedDevices,
  parseHiddenFunctions,
  parseXapiDevices,
} from './lists.js';
export {
  effectiveSettings,
  parseXlConfig,
  readPciDevices,
  readXlScalar,
  type Span,
  type XlConfig,
  type XlPciDevice,
  type XlSetting,
  type XlValue,
} from './xl-config.js';
export { addPciDevice, removePciDevices, replacePciDevice } from './xl-config-write.js';
export { nearest } from './nearest.js';
export { lint, type LintFinding, type LintKind, lintKindOf, lintKinds } from './lint.js';
