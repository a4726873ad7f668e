import { PciError } from '@xenpt/pci';
import { QmpErrorCode, XenptError } from '@xenpt/qmp-sdk';
import { DirtyRateErrorCode } from '@xenpt/qmp-sdk/dirty-rate';
import { XenErrorCode, XenOperationError } from '@xenpt/qmp-sdk/xen';
import { FILE_ERROR } from './input-file.js';

/** What the process ends with. Documented in the README and in each verb's help; scripts rely on the numbers. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  busy: 5,
  rebootRequired: 6,
  rolledBack: 7,
  manualRecovery: 8,
  timeout: 9,
  noHypervisor: 10,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'the operation failed; nothing was changed',
  2: 'wrong usage, or an address that is not one',
  3: 'no such device, domain or file, or it is not attached',
  4: 'refused: it would not be safe or cannot work',
  5: 'busy: somebody else has the device or the slot',
  6: 'done as far as possible; the guest has to be destroyed',
  7: 'failed, and everything done was undone',
  8: 'failed, and something has to be cleaned up by hand',
  9: 'not finished in time',
  10: 'no hypervisor, no IOMMU or no permission',
};

const byErrorCode: Readonly<Partial<Record<string, ExitCode>>> = {
  XENPT_USAGE: ExitCode.usage,
  [FILE_ERROR]: ExitCode.notFound,
  [DirtyRateErrorCode.quantity]: ExitCode.usage,
  [DirtyRateErrorCode.range]: ExitCode.usage,
  [DirtyRateErrorCode.file]: ExitCode.notFound,
  [DirtyRateErrorCode.tooLarge]: ExitCode.refused,
  [DirtyRateErrorCode.unsupported]: ExitCode.refused,
  [XenErrorCode.specSyntax]: ExitCode.usage,
  [XenErrorCode.noSuchDevice]: ExitCode.notFound,
  [XenErrorCode.noSuchDomain]: ExitCode.notFound,
  [XenErrorCode.notAttached]: ExitCode.notFound,
  [XenErrorCode.notAssignable]: ExitCode.notFound,
  [XenErrorCode.noSuchTransaction]: ExitCode.notFound,
  [XenErrorCode.noSuchFile]: ExitCode.notFound,
  [XenErrorCode.guestConfigHasDevice]: ExitCode.refused,
  [XenErrorCode.guestConfigLacksDevice]: ExitCode.notFound,
  [XenErrorCode.nothingToUndo]: ExitCode.refused,
  [XenErrorCode.identityChanged]: ExitCode.refused,
  [XenErrorCode.needsOverride]: ExitCode.refused,
  [XenErrorCode.refusedByRule]: ExitCode.refused,
  XENPT_DECLINED: ExitCode.refused,
  PCI_GRAMMAR: ExitCode.usage,
  PCI_SBDF_SYNTAX: ExitCode.usage,
  PCI_SEGMENT_NOT_ON_XEN: ExitCode.refused,
  SYSFS_FUNCTION_NOT_FOUND: ExitCode.notFound,
  [XenErrorCode.deviceHasDriver]: ExitCode.refused,
  [XenErrorCode.domainNotHvm]: ExitCode.refused,
  [XenErrorCode.domainWithoutPassthrough]: ExitCode.refused,
  [XenErrorCode.domainMemoryBusy]: ExitCode.refused,
  [XenErrorCode.reservedMemory]: ExitCode.refused,
  [XenErrorCode.deviceBroken]: ExitCode.refused,
  [XenErrorCode.resourceShared]: ExitCode.refused,
  [XenErrorCode.deviceUnsuitable]: ExitCode.refused,
  [XenErrorCode.optionRefused]: ExitCode.refused,
  [XenErrorCode.deviceInUse]: ExitCode.busy,
  [XenErrorCode.alreadyAttached]: ExitCode.busy,
  [XenErrorCode.otherToolstack]: ExitCode.busy,
  [XenErrorCode.slotTaken]: ExitCode.busy,
  [XenErrorCode.guestKeepsDevice]: ExitCode.busy,
  [XenErrorCode.noFreeSlot]: ExitCode.busy,
  [XenErrorCode.domainHasDevice]: ExitCode.refused,
  [XenErrorCode.dirtyLogUnsupported]: ExitCode.refused,
  [XenErrorCode.domainGone]: ExitCode.notFound,
  [XenErrorCode.dirtyLogBusy]: ExitCode.busy,
  [XenErrorCode.migrationRunning]: ExitCode.busy,
  [XenErrorCode.locked]: ExitCode.timeout,
  [XenErrorCode.modelTimeout]: ExitCode.timeout,
  [XenErrorCode.modelStopped]: ExitCode.timeout,
  [XenErrorCode.upgradeRefused]: ExitCode.refused,
  [XenErrorCode.notRoot]: ExitCode.noHypervisor,
  [XenErrorCode.noXen]: ExitCode.noHypervisor,
  [XenErrorCode.noIommu]: ExitCode.noHypervisor,
  [XenErrorCode.pcibackMissing]: ExitCode.noHypervisor,
  [XenErrorCode.noMonitor]: ExitCode.notFound,
  [XenErrorCode.monitorTimeout]: ExitCode.timeout,
  [QmpErrorCode.argument]: ExitCode.usage,
  [QmpErrorCode.connect]: ExitCode.notFound,
  [QmpErrorCode.monitorBusy]: ExitCode.busy,
  [QmpErrorCode.timeout]: ExitCode.timeout,
};

/** A known cause says more than how far it came, except that something is left to clean up. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof PciError) return byErrorCode[error.code] ?? ExitCode.failed;
  if (!(error instanceof XenptError)) return ExitCode.failed;
  const outcome = error instanceof XenOperationError ? error.outcome : undefined;
  if (outcome === 'incomplete') return ExitCode.manualRecovery;
  return byErrorCode[error.code] ?? (outcome === 'rolled-back' ? ExitCode.rolledBack : ExitCode.failed);
}
