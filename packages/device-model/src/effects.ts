import type { Message } from './message.js';

/** How a function signals by memory write. */
export type MessageKind = 'msi' | 'msi-x';

/** A part of a BAR that the guest reaches directly. */
export type BarPiece =
  | { readonly kind: 'memory'; readonly gfn: bigint; readonly mfn: bigint; readonly count: bigint }
  | { readonly kind: 'io'; readonly guest: number; readonly machine: number; readonly count: number };

/** Bits of an ordinary register that the guest may set in hardware. */
export interface WriteConfig {
  readonly type: 'writeConfig';
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly value: number;
}

export interface MapBar {
  readonly type: 'mapBar';
  readonly bar: number;
  readonly pieces: readonly BarPiece[];
}

/** Takes back whatever the ledger holds for this BAR. */
export interface UnmapBar {
  readonly type: 'unmapBar';
  readonly bar: number;
}

/** The ioreq server takes all of a BAR, start..end inclusive, until the guest's first access has it mapped, and on. */
export interface ClaimBar {
  readonly type: 'claimBar';
  readonly bar: number;
  readonly start: bigint;
  readonly end: bigint;
}

export interface ReleaseBar {
  readonly type: 'releaseBar';
  readonly bar: number;
}

/** The ioreq server takes the pages of the MSI-X table, start..end inclusive. */
export interface ClaimTable {
  readonly type: 'claimTable';
  readonly start: bigint;
  readonly end: bigint;
}

export interface ReleaseTable {
  readonly type: 'releaseTable';
}

/** The ioreq server takes the place of an expansion ROM that comes from a file, start..end inclusive. */
export interface ClaimRom {
  readonly type: 'claimRom';
  readonly start: bigint;
  readonly end: bigint;
}

export interface ReleaseRom {
  readonly type: 'releaseRom';
}

/** Maps pirqs for all vectors of MSI at once; nothing when that has been done. */
export interface MapMessages {
  readonly type: 'mapMessages';
  /** 1, 2, 4, 8, 16 or 32. */
  readonly vectorCount: number;
  /** As of a message; only for one vector. */
  readonly requestedPirq: number;
}

/**
 * Binds the entry's pirq to the guest's message; for MSI-X maps it first, if it has none or the guest names another.
 * The outcome is reported back.
 */
export interface BindMessage {
  readonly type: 'bindMessage';
  readonly kind: MessageKind;
  readonly entry: number;
  readonly message: Message;
  /** Guest address of the MSI-X table; 0 for MSI. */
  readonly tableAddress: bigint;
  /** Host address of the BAR with the MSI-X table; 0 for MSI. */
  readonly tableBase: bigint;
}

/** Xen masks the entry in hardware and delivers nothing of it; its pirq stays mapped. */
export interface UnbindMessage {
  readonly type: 'unbindMessage';
  readonly kind: MessageKind;
  readonly entry: number;
}

/** Unbinds every entry of the kind; with `unmap` its pirqs go back to Xen as well. */
export interface UnbindMessages {
  readonly type: 'unbindMessages';
  readonly kind: MessageKind;
  readonly unmap: boolean;
}

/** The 16-bit control register of the capability; the only hardware writes the two capabilities ever get. */
export interface WriteMessageControl {
  readonly type: 'writeMessageControl';
  readonly kind: MessageKind;
  readonly offset: number;
  readonly value: number;
  /** Whether this write turns the capability on. */
  readonly enables: boolean;
  /** What has to be done for every entry the kind holds before it is turned on. */
  readonly requires: 'nothing' | 'mapped' | 'bound';
}

/** Everything that the guest had of the function is taken back already; the host resets it and prepares it anew. */
export interface ResetFunction {
  readonly type: 'resetFunction';
}

/** What a guest's access asks of the world. Performed in order by `perform.ts`. */
export type Effect =
  | WriteConfig
  | MapBar
  | UnmapBar
  | ClaimBar
  | ReleaseBar
  | ClaimTable
  | ReleaseTable
  | ClaimRom
  | ReleaseRom
  | MapMessages
  | BindMessage
  | UnbindMessage
  | UnbindMessages
  | WriteMessageControl
  | ResetFunction;

export type EffectType = Effect['type'];

export const effectTypes = [
  'writeConfig',
  'mapBar',
  'unmapBar',
  'claimBar',
  'releaseBar',
  'claimTable',
  'releaseTable',
  'claimRom',
  'releaseRom',
  'mapMessages',
  'bindMessage',
  'unbindMessage',
  'unbindMessages',
  'writeMessageControl',
  'resetFunction',
] as const satisfies readonly EffectType[];

/** Shared by every access that asks nothing, so that the common case allocates nothing. */
export const noEffects: readonly Effect[] = Object.freeze([]);
