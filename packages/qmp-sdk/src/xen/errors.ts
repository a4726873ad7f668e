import { XenptError } from '../errors.js';

/** Every refusal and failure of the Xen operations. The strings are stable: programs may compare them. */
export const XenErrorCode = {
  specSyntax: 'XENPT_SPEC_SYNTAX',
  notRoot: 'XENPT_NOT_ROOT',
  noXen: 'XENPT_NO_XEN',
  noIommu: 'XENPT_NO_IOMMU',
  pcibackMissing: 'XENPT_PCIBACK_MISSING',
  noSuchDevice: 'XENPT_NO_SUCH_DEVICE',
  noSuchDomain: 'XENPT_NO_SUCH_DOMAIN',
  notAttached: 'XENPT_NOT_ATTACHED',
  notAssignable: 'XENPT_NOT_ASSIGNABLE',
  deviceHasDriver: 'XENPT_DEVICE_HAS_DRIVER',
  domainNotHvm: 'XENPT_DOMAIN_NOT_HVM',
  domainWithoutPassthrough: 'XENPT_DOMAIN_WITHOUT_PASSTHROUGH',
  domainMemoryBusy: 'XENPT_DOMAIN_MEMORY_BUSY',
  reservedMemory: 'XENPT_RESERVED_MEMORY',
  deviceBroken: 'XENPT_DEVICE_BROKEN',
  resourceShared: 'XENPT_RESOURCE_SHARED',
  deviceUnsuitable: 'XENPT_DEVICE_UNSUITABLE',
  optionRefused: 'XENPT_OPTION_REFUSED',
  deviceInUse: 'XENPT_DEVICE_IN_USE',
  alreadyAttached: 'XENPT_ALREADY_ATTACHED',
  otherToolstack: 'XENPT_OTHER_TOOLSTACK',
  slotTaken: 'XENPT_SLOT_TAKEN',
  noFreeSlot: 'XENPT_NO_FREE_SLOT',
  locked: 'XENPT_LOCKED',
  aborted: 'XENPT_ABORTED',
  modelNotRunning: 'XENPT_MODEL_NOT_RUNNING',
  modelFailed: 'XENPT_MODEL_FAILED',
  modelTimeout: 'XENPT_MODEL_TIMEOUT',
  upgradeRefused: 'XENPT_UPGRADE_REFUSED',
  modelStopped: 'XENPT_MODEL_STOPPED',
  dirtyLogBusy: 'XENPT_DIRTY_LOG_BUSY',
  dirtyLogLost: 'XENPT_DIRTY_LOG_LOST',
  dirtyLogUnsupported: 'XENPT_DIRTY_LOG_UNSUPPORTED',
  domainHasDevice: 'XENPT_DOMAIN_HAS_DEVICE',
  migrationRunning: 'XENPT_MIGRATION_RUNNING',
  domainGone: 'XENPT_DOMAIN_GONE',
  noMonitor: 'XENPT_NO_MONITOR',
  monitorTimeout: 'XENPT_MONITOR_TIMEOUT',
  noSuchTransaction: 'XENPT_NO_SUCH_TRANSACTION',
  noSuchFile: 'XENPT_NO_SUCH_FILE',
  fileNotWritten: 'XENPT_FILE_NOT_WRITTEN',
  guestConfigMalformed: 'XENPT_GUEST_CONFIG_MALFORMED',
  guestConfigHasDevice: 'XENPT_GUEST_CONFIG_HAS_DEVICE',
  guestConfigLacksDevice: 'XENPT_GUEST_CONFIG_LACKS_DEVICE',
  nothingToUndo: 'XENPT_NOTHING_TO_UNDO',
  identityChanged: 'XENPT_IDENTITY_CHANGED',
  needsOverride: 'XENPT_NEEDS_OVERRIDE',
  refusedByRule: 'XENPT_REFUSED_BY_RULE',
  guestKeepsDevice: 'XENPT_GUEST_KEEPS_DEVICE',
  stepFailed: 'XENPT_STEP_FAILED',
  incomplete: 'XENPT_INCOMPLETE',
} as const;
export type XenErrorCode = (typeof XenErrorCode)[keyof typeof XenErrorCode];

/** What the failed operation left: untouched, put back as it was, or with the leftovers that the error lists. */
export type Outcome = 'untouched' | 'rolled-back' | 'incomplete';

export interface XenOperationErrorOptions {
  readonly next: string;
  readonly cause?: unknown;
  /** The step that failed, in words. */
  readonly step?: string;
  readonly outcome?: Outcome;
  /** What could not be undone, one sentence each. */
  readonly leftovers?: readonly string[];
}

export class XenOperationError extends XenptError {
  declare readonly code: XenErrorCode;
  readonly step: string | undefined;
  readonly outcome: Outcome;
  readonly leftovers: readonly string[];

  constructor(code: XenErrorCode, message: string, options: XenOperationErrorOptions) {
    super(code, message, options);
    this.name = 'XenOperationError';
    this.step = options.step;
    this.outcome = options.outcome ?? 'untouched';
    this.leftovers = options.leftovers ?? [];
  }
}

/** `EBUSY` and the like, of an error of the Xen bindings or of Node's file system; `undefined` when it has none. */
export function errnoName(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { errnoName: xenName, code } = error as { errnoName?: unknown; code?: unknown };
  if (typeof xenName === 'string') return xenName;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** What failed and why, without the next step that some errors repeat in their message. */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const next = nextStepOf(error);
  if (next === undefined) return message;
  // @xenpt/pci ends its messages with the step, @xenpt/xen-bindings with "Next step: … .".
  for (const ending of [next, ` Next step: ${next}.`]) {
    if (message.endsWith(ending)) return message.slice(0, -ending.length).trimEnd().replace(/\.$/, '');
  }
  return message;
}

/** The next step that an error of ours, of `@xenpt/pci` or of the model brings along. */
export function nextStepOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { next, nextStep } = error as { next?: unknown; nextStep?: unknown };
  if (typeof next === 'string') return next;
  return typeof nextStep === 'string' ? nextStep : undefined;
}
