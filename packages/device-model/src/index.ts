export {
  DeviceModel,
  type DeviceModelExit,
  type DeviceModelOptions,
  type ModelStatus,
  type WakeSource,
} from './device-model.js';
export { DeviceModelError, type DeviceModelErrorCode, type DeviceModelErrorDetails } from './errors.js';
export type { Hypervisor, MessageRequest } from './hypervisor.js';
export { openHostDevice, type BarAccess, type HostDevice, type OpenHostDeviceOptions } from './host-device.js';
export { XenHypervisor, type XenHypervisorOptions } from './xen-hypervisor.js';
export { DeniedWrites } from './denied-writes.js';
export { GuestFunction, type GuestFunctionOptions } from './guest-function.js';
export { GuestModel, type AttachedFunction, type AttachRequest, type GuestModelOptions } from './guest-model.js';
export { type BarReport, type FunctionReport, type ServedFunction, type VectorReport } from './served-function.js';
export type { OpenedReport } from './opened.js';
export { effectTypes, type BarPiece, type Effect, type EffectType, type MessageKind } from './effects.js';
export { Ledger, PirqBook } from './ledger.js';
export { Performer } from './perform.js';
export type { Waiting } from './watchdog.js';
export { decodeMessage, anyPirq, unmaskedFlag, type Message } from './message.js';
export {
  AddressSpace,
  placementPolicy,
  type AddressRange,
  type PlacementOptions,
  type PlacementPolicy,
  type PlacementRefusal,
} from './placement.js';
export {
  RequestHandler,
  noGuestMemory,
  type GuestMemory,
  type PortTarget,
  type RequestRouter,
  type RequestTarget,
} from './ioreq.js';
export { requestKinds, type RequestKind } from './request-kinds.js';
export { interruptKinds, Statistics, type Counts, type InterruptKind } from './statistics.js';
