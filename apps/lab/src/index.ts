export { LabError, LabErrorCode, type ConsoleTail } from './errors.js';
export { Lab, type BootOptions, defaultBootTimeoutMs } from './lab.js';
export { Guest, type GuestExecResult } from './guest/guest.js';
export type { GuestOptions } from './guest/config.js';
export type { ExecOptions, ExecResult } from './agent/exec.js';
export {
  defaultDevices,
  type LabDevice,
  type LabNetwork,
  type NetworkCard,
  type OtherDevice,
} from './machine/devices.js';
export { ensureImage, type Image, type ImageOptions, type Progress } from './image/build.js';
export { findProfile, profiles, type NodeSource, type Profile } from './profile.js';
export { type HostPackage, hostPackages, missingHostPackages } from './host/packages.js';
