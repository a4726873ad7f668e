import {
  type Capability,
  type ConcealedCapability,
  capabilityRegisters,
  capabilitySize,
} from '../capabilities/capability.js';
import { type CapabilityChain, type ChainEntry, walkCapabilityChain } from './capability-chain.js';
import { guestConfigBytes } from './register-table.js';
import type { RegisterSet } from './register.js';

/** Which capabilities there are; the engine knows no id or name of its own. */
export interface CapabilityCatalogue {
  readonly shown: readonly Capability[];
  readonly concealed: readonly ConcealedCapability[];
}

/** A capability of the function that can be decoded and, as far as its own bytes tell, shown. */
export interface FoundCapability {
  readonly offset: number;
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: number;
  /** From its first byte to the end of the first 256. */
  readonly bytes: Uint8Array;
  readonly definition: Capability;
  readonly registers: RegisterSet;
}

/** A capability that a guest does not get. */
export interface HiddenCapability {
  readonly offset: number;
  readonly id: number;
  readonly name: string;
  readonly reason: string;
  /** Bytes that read 0 instead, as far as no other capability owns them. */
  readonly sizeBytes: number;
}

export interface CapabilityList {
  readonly found: readonly FoundCapability[];
  readonly hidden: readonly HiddenCapability[];
  /** See {@link CapabilityChain.fault}. */
  readonly fault: string | null;
}

/** Id, next pointer and the two bytes up to the next word: what is certain of a capability nobody knows. */
const headWordBytes = 4;

/**
 * Sorts what the device lists into found and hidden. Of two that overlap, and of two of a kind that comes once,
 * the one that is later in the list is hidden.
 */
export function listCapabilities(config: Uint8Array, catalogue: CapabilityCatalogue): CapabilityList {
  const chain: CapabilityChain = walkCapabilityChain(config);
  const found: FoundCapability[] = [];
  const hidden: HiddenCapability[] = [];
  for (const entry of chain.entries) {
    const definition = catalogue.shown.find((candidate) => candidate.id === entry.id);
    if (definition === undefined) {
      hidden.push(conceal(entry, catalogue.concealed));
      continue;
    }
    const capability = instantiate(config, entry, definition);
    const reason = refusal(capability, found);
    if (reason === undefined) found.push(capability);
    else hidden.push(hide(capability, reason));
  }
  return { found, hidden, fault: chain.fault };
}

/** The entry of a found capability that is hidden after all. */
export function hide({ offset, id, name, sizeBytes }: FoundCapability, reason: string): HiddenCapability {
  return { offset, id, name, reason, sizeBytes };
}

function instantiate(config: Uint8Array, { offset, id }: ChainEntry, definition: Capability): FoundCapability {
  const bytes = config.subarray(offset, guestConfigBytes);
  return {
    offset,
    id,
    name: definition.name,
    sizeBytes: Math.max(capabilitySize(definition, bytes), 2),
    bytes,
    definition,
    registers: capabilityRegisters(definition, bytes),
  };
}

function refusal(capability: FoundCapability, earlier: readonly FoundCapability[]): string | undefined {
  const { offset, sizeBytes, bytes, definition } = capability;
  const own = definition.refusal?.(bytes);
  if (own !== undefined) return own;
  if (sizeBytes > bytes.length)
    return `it would end at byte ${offset + sizeBytes}; there are ${offset + bytes.length}`;
  if (definition.repeatable !== true && earlier.some((other) => other.definition === definition)) {
    return 'it is the second of its kind, and only the first counts';
  }
  const other = earlier.find((one) => one.offset < offset + sizeBytes && offset < one.offset + one.sizeBytes);
  return other && `it overlaps ${other.name} at 0x${other.offset.toString(16)}`;
}

function conceal({ offset, id }: ChainEntry, concealed: readonly ConcealedCapability[]): HiddenCapability {
  const known = concealed.find((candidate) => candidate.id === id);
  return {
    offset,
    id,
    name: known?.name ?? `Capability 0x${id.toString(16).padStart(2, '0')}`,
    reason: known?.reason ?? 'it is unknown, and what nobody described a guest does not get',
    sizeBytes: known?.size ?? headWordBytes,
  };
}
