export type { QmpMonitor, ResultOf, WaitOptions } from './monitor.js';
export { QmpOperationError, QmpOperationErrorCode } from './errors.js';
export {
  followJob,
  type JobArguments,
  type JobCommand,
  type JobOptions,
  type JobProgress,
  type QmpJob,
  QmpJobError,
  startJob,
} from './jobs.js';
export { deleteSnapshot, loadSnapshot, saveSnapshot, type SnapshotOptions } from './snapshots.js';
export {
  type DeviceBackend,
  type DeviceDescription,
  hotPlug,
  hotUnplug,
  type PluggedDevice,
  QmpUnplugError,
  type Unplugged,
  type UnplugOptions,
} from './devices.js';
export {
  acceptMigration,
  type MigrationOptions,
  type MigrationProgress,
  type MigrationTarget,
  type QmpMigration,
  QmpMigrationError,
  startMigration,
} from './migration.js';
export {
  getMigrationCapabilities,
  getMigrationParameters,
  type MigrationCapabilities,
  type MigrationParameters,
  type MigrationSettings,
  setMigrationCapabilities,
  setMigrationParameters,
} from './migration-settings.js';
export { type DirtyRate, type DirtyRateOptions, measureDirtyRate } from './dirty-rate.js';
export { screendump, type ScreendumpOptions } from './screendump.js';
export { runHumanMonitorCommand } from './human-monitor.js';
export { quit, shutDown } from './power.js';
export { readOnlyCommands, restrict } from './restrict.js';
export { type GuestPciFunction, listPciFunctions } from './pci.js';
export { type BlockDevice, listBlockDevices, type Medium } from './block.js';
export { listNetworkDevices, type NetworkDevice } from './net.js';
export { type DisplayServer, listDisplayServers } from './display.js';
