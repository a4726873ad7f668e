import type { FunctionImage } from '@xenpt/pci';
import type { Effect } from './effects.js';
import type { GuestFunctionSaved } from './guest-function.js';
import type { AttachRequest } from './guest-model.js';
import type { CallIntent } from './journalled-hypervisor.js';
import type { LedgerSaved } from './ledger.js';

/** `attaching` and `releasing` are undone by whoever goes on; a `concealed` one stays until it is detached. */
export type FunctionStage = 'attaching' | 'serving' | 'concealed' | 'releasing';

/** A function as it outlives the process that serves it. Plain data: it crosses by structured clone. */
export interface FunctionSaved {
  readonly request: AttachRequest;
  readonly stage: FunctionStage;
  /** As read before the guest ran; the device is not asked again. */
  readonly image: FunctionImage;
  readonly msiVectorLimit: number;
  readonly guest: GuestFunctionSaved;
  readonly ledger: LedgerSaved;
  /** What the last access asked for and was not done by then. The first may have been done in part. */
  readonly pending: readonly Effect[];
}

export interface GuestSaved {
  readonly functions: readonly FunctionSaved[];
  readonly ejects: { readonly isClaimed: boolean; readonly slots: number };
  /** The call to Xen that was being made. */
  readonly intent: CallIntent | null;
}

/** Everything that another process needs to go on for this guest. */
export interface ModelState extends GuestSaved {
  readonly serverId: number;
}

/** Of a server that has just been made. */
export const nothingYet: GuestSaved = { functions: [], ejects: { isClaimed: false, slots: 0 }, intent: null };
