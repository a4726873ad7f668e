export { AssignFlags, Control, DOMID_IO, type MsiRequest, type MultiMsiRequest, type XenVersion } from './ctrl.js';
export { DeviceConfig } from './device-config.js';
export { DeviceMemory } from './device-memory.js';
export { BufferedRequests, DeviceModel, type IoRangeKind } from './devicemodel.js';
export {
  DirtyLogControl,
  type DirtyLogCleanOptions,
  type DirtyLogStats,
  dirtyMapSizeBytes,
  PAGE_COUNT_MAX,
} from './dirty-log.js';
export { tryFlock } from './file-lock.js';
export { HostControl, type ReservedDeviceMemory } from './host-control.js';
export { type DomainFlags, type DomainInfo, decodeDomainInfo } from './domain-info.js';
export { XenCallError, XenError, XenErrorCode, XenUnavailableError } from './errors.js';
export { EventChannels } from './evtchn.js';
export { ForeignMemory, type Mapping, ResourceType } from './foreignmemory.js';
export { IoreqMeter, type LatencyHistogram, type OpenRequest } from './ioreq-meter.js';
export { IOREQ_VCPU_COUNT_MAX, IoreqEvent, IoreqPort, type IoreqPortOptions } from './ioreq-port.js';
export type { HypervisorVersion } from './libraries.js';
export { peerCredentials, type PeerCredentials } from './peer-credentials.js';
export { type PhysicalInfo, decodePhysicalInfo } from './physical-info.js';
export { type DeviceNodeProbe, type LibraryProbe, type Probe, probe } from './probe.js';
export { type StorePermission, type StoreNodes } from './store-nodes.js';
export { type Watch, type WatchCallback, Xenstore } from './store.js';
export { dropProgramPages } from './program-pages.js';
export { WakeEvent } from './wake-event.js';
