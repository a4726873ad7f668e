export { type PciErrorCode, type PciErrorDetails, PciError, pciErrorCodes } from './errors.js';
export {
  type Sbdf,
  compareSbdf,
  formatSbdf,
  numberToSbdf,
  parseSbdf,
  requireXenSegment,
  sbdfToNumber,
} from './sbdf.js';
export { className } from './class-code.js';
export type { FunctionImage, Resource } from './resource.js';

export { type AccessWidth, type ConfigAccess, allOnes, readLittleEndian } from './config-space/access.js';
export type { BitField, FieldMeaning, GuestPolicy, Register, RegisterSet } from './config-space/register.js';
export { type HeaderRegisterName, headerType0 } from './config-space/header-type-0.js';
export { maxCapabilities } from './config-space/capability-chain.js';
export type { ViewWord } from './config-space/register-table.js';
export type { HiddenCapability } from './config-space/capability-list.js';
export {
  type ConfigSpace,
  type DecodedCapability,
  type DecodedRegister,
  type RegisterDescription,
  decodeConfigSpace,
  describeRegisters,
} from './config-space/decode.js';

export {
  type CapabilityDescription,
  type CapabilityListing,
  type DescribedField,
  type DescribedImage,
  type DescribedRegister,
  describeCapabilities,
} from './config-space/describe.js';
export {
  type DecodedExtendedCapability,
  type ExtendedSpace,
  decodeExtendedSpace,
  maxExtendedCapabilities,
} from './config-space/extended.js';

export { type GuestBar, romIndex } from './bars/bar.js';
export type { RawBar } from './bars/raw-bar.js';
export { type AssumedResources, assumeResources } from './bars/assume.js';

export {
  type Capability,
  type CapabilityInstance,
  type Circumstances,
  type ConcealedCapability,
  type ControlGeometry,
  type HostRange,
  type InterruptGeometry,
  type MsiGeometry,
  type MsixGeometry,
  type WithheldBytes,
  type RegisterBits,
} from './capabilities/capability.js';
export { capabilities, concealedCapabilities } from './capabilities/index.js';
export type { ExtendedCapability } from './capabilities/extended/extended-capability.js';
export { extendedCapabilities } from './capabilities/extended/index.js';

export type { GuestView, GuestViewOptions } from './guest-view/guest-view.js';
export { type RomImage, maxRomBytes, parseExpansionRom } from './rom/expansion-rom.js';
export { type AllowedField, deviceSpecific, formatAllowedField, parseAllowedField } from './guest-view/allow.js';
export { type DeniedByte, type DeniedRegister, describeDenied } from './guest-view/denied.js';
export { buildGuestView } from './guest-view/build.js';
export { type GuestViewPreview, previewGuestView } from './guest-view/preview.js';
export {
  type BitOwner,
  type SeenArea,
  type SeenFunction,
  type SeenRegister,
  describeGuestView,
} from './guest-view/describe-view.js';
export { type DumpedFunction, parseConfigDump } from './config-space/dump.js';
export { type DumpedImage, imageOfDump } from './guest-view/dumped.js';

export type {
  ConfigFacts,
  FunctionIdentity,
  FunctionInterrupts,
  FunctionRecord,
  FunctionSummary,
  IsolationGroups,
  LinkState,
  MsixPlace,
  PowerState,
  ReservedRegion,
  ResetGrade,
  ResetReport,
  VirtualFunctionRole,
} from './inventory/function-record.js';
export { isBridge } from './inventory/function-record.js';
export type {
  DiskUse,
  ExpectedDevice,
  GuestConfig,
  GuestConfigDevice,
  HiddenFunction,
  HideParameter,
  HostFacts,
  HostInventory,
  ManagementInterface,
  OwnedFunction,
  Owner,
  XenFacts,
} from './inventory/host-facts.js';
export { compareIdentities, type IdentityDifference } from './inventory/identity.js';
export { resolveIdentity, type Resolution } from './inventory/resolve-identity.js';
export { guestInterruptBudget, messageVectors } from './inventory/interrupt-budget.js';
export {
  type GuestMemory,
  neededMmioHole,
  type PlacedBar,
  type PlacedBarInput,
  type Placement,
  placeBars,
} from './placement/hvmloader.js';
export {
  emulatedBars,
  emulatedDisplayAndNetwork,
  fitDevices,
  type FitReport,
  guestBars,
} from './placement/guest-bars.js';
export { isSameList } from './inventory/groups.js';
export { evaluate, type Evaluation, type Finding, type FunctionVerdict, type Verdict } from './rules/evaluate.js';
export { rules } from './rules/index.js';
export type { Effect, Rule, RuleText, Severity } from './rules/rule.js';
