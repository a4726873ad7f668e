import { assignmentAbsent } from './assignment-absent.js';
import { barFit } from './bar-fit.js';
import { bootDisk } from './boot-disk.js';
import { bridge } from './bridge.js';
import { busShared } from './bus-shared.js';
import { conventionalView } from './conventional-view.js';
import { doubleAssignment } from './double-assignment.js';
import { driverless } from './driverless.js';
import { groupDisagreement } from './group-disagreement.js';
import { groupIncomplete } from './group-incomplete.js';
import { guestBarFit } from './guest-bar-fit.js';
import { guestConfigFault } from './guest-config-fault.js';
import { guestDeviceAbsent } from './guest-device-absent.js';
import { guestDeviceNotHeld } from './guest-device-not-held.js';
import { guestMemoryNotFixed } from './guest-memory-not-fixed.js';
import { guestNotMigratable } from './guest-not-migratable.js';
import { guestPirqBudget } from './guest-pirq-budget.js';
import { hideLost } from './hide-lost.js';
import { hideMalformed } from './hide-malformed.js';
import { identityChanged } from './identity-changed.js';
import { iommuOff } from './iommu-off.js';
import { linkDegraded } from './link-degraded.js';
import { lockdown } from './lockdown.js';
import { managementRoute } from './management-route.js';
import { msixPageShared } from './msix-page-shared.js';
import { noInterruptRemapping } from './no-interrupt-remapping.js';
import { noReset } from './no-reset.js';
import { notAnswering } from './not-answering.js';
import { onlyDisplay } from './only-display.js';
import { optionRom } from './option-rom.js';
import { pcibackMissing } from './pciback-missing.js';
import { physicalFunction } from './physical-function.js';
import { pirqBudget } from './pirq-budget.js';
import { powerState } from './power-state.js';
import { reservedMemory } from './reserved-memory.js';
import type { Rule } from './rule.js';
import { sharedInterrupt } from './shared-interrupt.js';
import { wideSegment } from './wide-segment.js';

/** Every rule, in the order in which findings of one severity are told: what hurts most first. */
export const rules: readonly Rule[] = [
  iommuOff,
  lockdown,
  identityChanged,
  assignmentAbsent,
  bootDisk,
  managementRoute,
  onlyDisplay,
  notAnswering,
  hideMalformed,
  hideLost,
  pcibackMissing,
  guestConfigFault,
  guestDeviceAbsent,
  guestMemoryNotFixed,
  guestBarFit,
  wideSegment,
  bridge,
  busShared,
  groupIncomplete,
  physicalFunction,
  reservedMemory,
  groupDisagreement,
  doubleAssignment,
  guestDeviceNotHeld,
  driverless,
  noInterruptRemapping,
  noReset,
  sharedInterrupt,
  msixPageShared,
  pirqBudget,
  guestPirqBudget,
  barFit,
  powerState,
  optionRom,
  linkDegraded,
  conventionalView,
  guestNotMigratable,
];
