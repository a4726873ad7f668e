export { XenptError } from '../errors.js';
export { describeError, nextStepOf, type Outcome, XenErrorCode, XenOperationError } from './errors.js';
export type {
  Clock,
  DirtyLogCalls,
  DirtyLogStats,
  DomainInfo,
  HypervisorFacts,
  ProcessList,
  ProcessTable,
  RunningProcess,
  Store,
  StorePermission,
  StoreView,
  Sysfs,
  Toolstack,
  XenHost,
} from './host.js';
export { openXenHost, type OpenXenHostOptions } from './open-host.js';

export {
  type FunctionDetails,
  type InterruptBudget,
  type Inventory,
  type InventoryEntry,
  type InventoryHost,
  listInventory,
  type Owner,
  showFunction,
} from './inventory.js';
export { type Bundle, createBundle } from './bundle.js';
export { type AssignableDevice, listAssignable } from './assignable-list.js';
export { type Reason, RefusedByRules, type SetAside } from './verdict-check.js';
export { type AssignableAdded, type AssignableOptions, addAssignable } from './assignable-add.js';
export { type AssignableRemoved, removeAssignable } from './assignable-remove.js';
export type { OperationPlan, PlanStep } from './operation-plan.js';
export {
  type DeviceBefore,
  type DeviceIdentity,
  type JournalContents,
  type JournalRecord,
  type JournalStep,
  type Override,
  overrides,
  readJournal,
  type TransactionKind,
  type TransactionState,
} from './journal.js';
export type { OnStep } from './steps.js';
export { applyPersist, type PersistOptions, type PersistPlan, planForget, planPersist } from './persist.js';
export type { PersistFile } from './persist-files.js';
export { restoreAssignable, type RestoredDevice } from './restore-assignable.js';
export { recoverAssignable, type RecoveredTransaction } from './recover-assignable.js';
export { planRecovery, type RecoveryPlan } from './recover-plan.js';
export { type CompletionValues, completionValues } from './completion-values.js';
export {
  addToGuestConfig,
  devicesOfGuestConfig,
  type GuestConfigChange,
  type GuestConfigOptions,
  removeFromGuestConfig,
} from './guest-config-file.js';
export { type LintedFile, lintFiles, lintHost } from './lint-files.js';
export { type FunctionChange, type WatchedFunction, watchFunctions, type WatchOptions } from './watch.js';
export { isUndone, undo, type Undone } from './undo.js';
export { attach, type AttachCheck, type Attached, type AttachOptions, checkAttach } from './attach.js';
export { Rehearsal } from './rehearsal.js';
export type { DeviceOptions, ServingModel } from './attach-options.js';
export { checkDetach, detach, type DetachCheck, type Detached, type DetachOptions } from './detach.js';
export { guestView, type GuestViewQuery, type GuestViewReport, guestViewOf } from './guest-view.js';
export { type ModelStats, readModelStats } from './stats.js';
export { type UpgradedModel, upgradeModel } from './upgrade-model.js';
export { applySetup, planSetup, type SetupPlan } from './setup.js';
export { stoppedModels } from './model-state.js';
export { dirtyMapSizeBytes, type DirtyLog, type DirtyLogOptions, type DirtyScan, openDirtyLog } from './dirty-log.js';
export { forgetDeadDomains } from './dead-domains.js';
export { type RecoveredDevice, recoverDevices } from './recover-devices.js';
export { recoverRestarts, type RecoveredRestart, restartNotes } from './recover-restarts.js';
export { giveAgain, type RestartOptions, type RestartOutcome } from './restart.js';
export { recoverDirtyLogs, type RecoveredDirtyLog } from './dirty-log-recover.js';
export { connectToGuestEvents, type GuestQmpOptions, withGuestQmp } from './qmp.js';
export {
  type GuestDevices,
  type GuestDisk,
  type GuestDisplay,
  type GuestNic,
  listGuestDevices,
  type PassedThroughFunction,
} from './guest-devices.js';
export { expandBdf, parseBdf, parsePassthroughSpec, type PassthroughSpec } from './spec.js';

export type {
  AttachedFunction,
  BarView,
  FunctionView,
  ModelClient,
  ModelLatency,
  ModelStatus,
  ModelWaiting,
  OpenedReport,
  VectorView,
} from './model-client.js';
export type { GiveAgain } from './pending-restart.js';
export { type GuestModel, serveDomain, type ServeDomainOptions, type ServeEnd } from './model-process.js';
