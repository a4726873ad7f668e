import type { DeniedByte, GuestView, ViewWord } from '@xenpt/pci';
import type { ModelRequest, OpenedFields } from './model-protocol.js';

/** What the guest got, as the device model reports it. */
export interface AttachedFunction {
  /** The pirq of the legacy interrupt, null if the function has none. */
  readonly pirq: number | null;
  /** Capabilities the guest does not see. */
  readonly hidden: readonly { readonly offset: number; readonly name: string; readonly reason: string }[];
  /** Message vectors the guest may use. */
  readonly vectors: number;
  /** Missing from a model that an earlier version started. */
  readonly opened?: OpenedReport;
}

/** What the operator opened or closed for this guest, as it is in effect. */
export interface OpenedReport {
  readonly permissive: boolean;
  readonly allow: readonly string[];
  /** `none`: no expansion ROM; `blank`: one that reads all ones; `served`: one of `romBytes` bytes. */
  readonly rom: 'none' | 'blank' | 'served';
  readonly romBytes: number;
}

export interface FunctionView {
  /** What the guest reads at each of the 256 bytes. */
  readonly guest: Uint8Array;
  readonly host: Uint8Array;
  readonly bars: readonly BarView[];
  readonly vectors: readonly VectorView[];
  /** What the guest wrote in vain since attach. Missing from a model that an earlier version started. */
  readonly denied?: readonly DeniedByte[];
  /** The rules that the guest is served by, and what it does not get. Missing as `denied` may be. */
  readonly words?: readonly ViewWord[];
  readonly hidden?: GuestView['hidden'];
  readonly opened?: OpenedReport;
}

export interface BarView {
  readonly index: number;
  readonly kind: 'memory' | 'io' | 'rom';
  /** Where the guest placed it; null before it did. */
  readonly guestAddress: bigint | null;
  readonly mapped: boolean;
  /** Why it is not mapped where the guest put it; null if nothing speaks against it. */
  readonly refusal: string | null;
  /** How often it was mapped since attach. */
  readonly rounds: number;
}

export interface VectorView {
  readonly index: number;
  readonly bound: boolean;
  readonly pirq: number | null;
  readonly masked: boolean;
}

/** How long requests of the guest were in the model's hands. */
export interface ModelLatency {
  readonly count: number;
  readonly sumNs: number;
  readonly longestNs: number;
  /** Not cumulative; what took longer than the last one says is in `count` alone. */
  readonly buckets: readonly { readonly upToNs: number; readonly count: number }[];
}

/** What a guest is kept waiting by. */
export interface ModelWaiting {
  /** `a read of 4 bytes at register 0x10 of 00:05.0 by vCPU 0`, or `attach`. */
  readonly what: string;
  readonly ageMs: number;
  /** `Xen: mapMemory`; null when it is in our own code or in an access to the device. */
  readonly waitsFor: string | null;
}

/** All counts are since the process was started. What may be missing is, from a model of an earlier version. */
export interface ModelStatus {
  /** UUID of the domain that is served. */
  readonly handle: string;
  readonly process?: { readonly pid: number; readonly version: string; readonly startedAtMs: number };
  readonly requests: Readonly<Record<string, number>>;
  readonly deniedWrites: number;
  readonly effects: Readonly<Record<string, number>>;
  readonly failedEffects?: Readonly<Record<string, number>>;
  readonly interrupts?: Readonly<Record<string, number>>;
  readonly devices: readonly string[];
  readonly latency?: ModelLatency;
  readonly waiting?: ModelWaiting | null;
  readonly late?: number;
}

/** A connection to the device model process of one guest. Every call has a deadline. */
export interface ModelClient {
  attach(options: { readonly sbdf: string; readonly guestDevfn: number } & OpenedFields): Promise<AttachedFunction>;
  detach(sbdf: string): Promise<void>;
  view(sbdf: string): Promise<FunctionView>;
  status(): Promise<ModelStatus>;
  /**
   * From now on until this connection ends, the guest's ACPI ejects come to the model: a device of its is gone for the
   * guest at once. To be called again and again, since QEMU has to be given what the guest has ejected.
   *
   * @param passedOn slots whose ejects QEMU has been given, bit n for slot n
   * @returns those that it has to be given, also from before
   */
  expectEjects(passedOn: number): Promise<number>;
  /** Asks the process to end and waits until it did. */
  shutdown(): Promise<void>;
  close(): void;
}

export type ModelMethod = ModelRequest['method'];
