import type { GuestBar } from '../bars/bar.js';
import type { RegisterSet } from '../config-space/register.js';

/** Where a guest programs MSI; offsets count from the start of configuration space. */
export interface MsiGeometry {
  readonly offset: number;
  readonly is64Bit: boolean;
  /** Vectors the guest is offered: 1, 2, 4, 8, 16 or 32. */
  readonly vectorCount: number;
  readonly controlOffset: number;
  readonly addressOffset: number;
  readonly addressHighOffset?: number;
  readonly dataOffset: number;
  /** Only of a function that masks its vectors one by one; bit n is vector n. */
  readonly maskOffset?: number;
}

/** Where the table and the pending bits of MSI-X lie: valid, inside memory BARs, latched at attach. */
export interface MsixGeometry {
  readonly offset: number;
  readonly controlOffset: number;
  /** 1–2048. */
  readonly vectorCount: number;
  readonly tableBarIndex: number;
  /** Bytes from the start of the BAR. */
  readonly tableOffset: number;
  readonly pbaBarIndex: number;
  readonly pbaOffset: number;
}

/** Bytes of a BAR that no guest reaches directly. */
export interface WithheldBytes {
  readonly barIndex: number;
  /** Bytes from the start of the BAR; all of them lie inside it. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Addresses of the host, `start … end − 1`. */
export interface HostRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** What a capability contributes to the view besides registers. */
export interface InterruptGeometry {
  readonly msi?: MsiGeometry;
  readonly msix?: MsixGeometry;
}

/** Bits of one register, found by its place from the start of configuration space; `mask` is right-aligned. */
export interface RegisterBits {
  readonly offset: number;
  readonly mask: number;
}

/** What of a guest's writes the device model has to answer with deeds, besides BARs and messages. */
export interface ControlGeometry {
  /** The guest's power state, 0 is D0: in any other the function decodes nothing. */
  readonly powerState?: RegisterBits;
  /** Writing 1 asks for a reset of the function. Empty unless the host can reset it. */
  readonly functionResets?: readonly RegisterBits[];
}

/** What else than its own bytes decides what a guest gets of a capability. */
export interface Circumstances {
  /** The host can reset the function without its neighbours, and does so for the guest. */
  readonly functionReset: boolean;
  /** How many MSI vectors of the function the host can take at once. */
  readonly msiVectorLimit: number;
}

export const plainCircumstances: Circumstances = { functionReset: false, msiVectorLimit: 1 };

/** One occurrence of a capability in a function. */
export interface CapabilityInstance {
  readonly circumstances: Circumstances;
  readonly offset: number;
  /** From the capability's first byte to the end of the first 256; may be shorter than the capability. */
  readonly bytes: Uint8Array;
  readonly bars: readonly GuestBar[];
}

/**
 * A capability as its specification has it and what a guest gets of it. Nothing else in the package knows its
 * id, name or layout. Id and next pointer, the first two bytes of all, are {@link capabilityHeader}.
 */
export interface Capability {
  readonly id: number;
  readonly name: string;
  readonly size: number | ((bytes: Uint8Array) => number);
  readonly registers: RegisterSet | ((bytes: Uint8Array, circumstances?: Circumstances) => RegisterSet);
  /** A function may have several; of others the first counts. */
  readonly repeatable?: boolean;
  /** Why this occurrence has to be hidden, from its own bytes; undefined when it need not be. */
  readonly refusal?: (bytes: Uint8Array, circumstances?: Circumstances) => string | undefined;
  /** What a guest gets of it, a sentence. A concealed one has its `reason` instead. */
  readonly meaning?: string;
  /** What stands in this occurrence, in a phrase, for people. */
  readonly summary?: (bytes: Uint8Array) => string;
  /** What of this occurrence an operator should know before passing the function through, sentences. */
  readonly remarks?: (instance: CapabilityInstance) => readonly string[];
  /** Geometry beyond registers, or why the occurrence has to be hidden. */
  readonly geometry?: (
    instance: CapabilityInstance,
  ) => (InterruptGeometry & ControlGeometry) | { readonly refusal: string };
  /** What of a BAR is kept from the guest even when this occurrence is hidden; undefined when nothing is. */
  readonly withheld?: (instance: CapabilityInstance) => WithheldBytes | undefined;
  /** Whose pages the hypervisor keeps from being written by the host, whether or not the occurrence is hidden. */
  readonly hostReadOnly?: (instance: CapabilityInstance) => readonly HostRange[];
}

/** A capability that no guest gets: its registers are decoded for people, and read 0 for the guest. */
export interface ConcealedCapability extends Capability {
  readonly reason: string;
}

/** PCI Local Bus 3.0 §6.7: the two bytes every capability starts with. */
export const capabilityHeader = {
  capabilityId: {
    offset: 0,
    width: 1,
    reset: 0,
    ro: 0xff,
    guest: {
      virtual: 0xff,
      latch: 0xff,
      why: 'The list stays what it was at attach, whatever the device says later.',
    },
  },
  nextPointer: {
    offset: 1,
    width: 1,
    reset: 0,
    ro: 0xff,
    guest: { virtual: 0xff, why: 'The list is rebuilt over the capabilities a guest may see.' },
  },
} as const satisfies RegisterSet;

/** Size of an occurrence, header included. */
export function capabilitySize(capability: Capability, bytes: Uint8Array): number {
  return typeof capability.size === 'number' ? capability.size : capability.size(bytes);
}

/** Registers of an occurrence, header included. */
export function capabilityRegisters(
  capability: Capability,
  bytes: Uint8Array,
  circumstances: Circumstances = plainCircumstances,
): RegisterSet {
  const { registers } = capability;
  const own = typeof registers === 'function' ? registers(bytes, circumstances) : registers;
  return { ...capabilityHeader, ...own };
}
