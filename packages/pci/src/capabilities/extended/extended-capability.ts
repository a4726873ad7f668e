import type { RegisterSet } from '../../config-space/register.js';

/**
 * A capability of the extended space, 0x100 to 0xfff. The space is not there for a guest: it reads all ones and takes
 * no write, so a capability in it is decoded for people only.
 */
export interface ExtendedCapability {
  /** PCI Code and ID Assignment 1.11 §3. */
  readonly id: number;
  readonly name: string;
  /** What it means for passthrough, a sentence. */
  readonly meaning: string;
  /** What stands in this occurrence, in a phrase, for people; `bytes` starts with the capability's header. */
  readonly summary?: (bytes: Uint8Array) => string;
  /** What of this occurrence an operator should know before passing the function through, sentences. */
  readonly remarks?: (bytes: Uint8Array) => readonly string[];
  /** Offsets count from the capability's first byte; its header is the first four. */
  readonly registers: RegisterSet | ((bytes: Uint8Array) => RegisterSet);
}

/** Registers of an occurrence; `bytes` starts with its header. */
export function extendedRegisters({ registers }: ExtendedCapability, bytes: Uint8Array): RegisterSet {
  return typeof registers === 'function' ? registers(bytes) : registers;
}
