import {
  type Capability,
  type Circumstances,
  type ConcealedCapability,
  capabilityRegisters,
  capabilitySize,
  plainCircumstances,
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
  /** Of the hidden ones those that can be decoded all the same. */
  readonly concealed: readonly FoundCapability[];
  /** Offsets of all of them, as the device lists them. */
  readonly order: readonly number[];
  /** See {@link CapabilityChain.fault}. */
  readonly fault: string | null;
}

/** Id, next pointer and the two bytes up to the next word: what is certain of a capability nobody knows. */
const headWordBytes = 4;

/**
 * Sorts what the device lists into found and hidden. Of two that overlap, and of two of a kind that comes once,
 * the one that is later in the list is hidden; of a kind that comes once also when the first is hidden itself, because
 * the host works by the first.
 */
export function listCapabilities(
  config: Uint8Array,
  catalogue: CapabilityCatalogue,
  circumstances: Circumstances = plainCircumstances,
): CapabilityList {
  const chain: CapabilityChain = walkCapabilityChain(config);
  const found: FoundCapability[] = [];
  const hidden: HiddenCapability[] = [];
  const concealed: FoundCapability[] = [];
  for (const entry of chain.entries) {
    const known = catalogue.concealed.find((candidate) => candidate.id === entry.id);
    const definition = known ?? catalogue.shown.find((candidate) => candidate.id === entry.id);
    if (definition === undefined) {
      hidden.push(unknown(entry));
      continue;
    }
    const capability = instantiate(config, entry, definition, circumstances);
    const reason = known?.reason ?? refusal(capability, { found, concealed }, circumstances);
    if (reason === undefined) {
      found.push(capability);
    } else {
      hidden.push(hide(capability, reason));
      concealed.push(capability);
    }
  }
  return { found, hidden, concealed, order: chain.entries.map(({ offset }) => offset), fault: chain.fault };
}

/** The entry of a found capability that is hidden after all. */
export function hide({ offset, id, name, sizeBytes }: FoundCapability, reason: string): HiddenCapability {
  return { offset, id, name, reason, sizeBytes };
}

function instantiate(
  config: Uint8Array,
  { offset, id }: ChainEntry,
  definition: Capability,
  circumstances: Circumstances,
): FoundCapability {
  const bytes = config.subarray(offset, guestConfigBytes);
  return {
    offset,
    id,
    name: definition.name,
    sizeBytes: Math.max(capabilitySize(definition, bytes), 2),
    bytes,
    definition,
    registers: capabilityRegisters(definition, bytes, circumstances),
  };
}

function refusal(
  capability: FoundCapability,
  earlier: Pick<CapabilityList, 'found' | 'concealed'>,
  circumstances: Circumstances,
): string | undefined {
  const { offset, sizeBytes, bytes, definition } = capability;
  const own = definition.refusal?.(bytes, circumstances);
  if (own !== undefined) return own;
  if (sizeBytes > bytes.length)
    return `it would end at byte ${offset + sizeBytes}; there are ${offset + bytes.length}`;
  const isOther = (other: FoundCapability) => other.definition === definition;
  if (definition.repeatable !== true && [...earlier.found, ...earlier.concealed].some(isOther)) {
    return 'it is the second of its kind, and only the first counts';
  }
  const other = earlier.found.find((one) => one.offset < offset + sizeBytes && offset < one.offset + one.sizeBytes);
  return other && `it overlaps ${other.name} at 0x${other.offset.toString(16)}`;
}

function unknown({ offset, id }: ChainEntry): HiddenCapability {
  return {
    offset,
    id,
    name: `Capability 0x${id.toString(16).padStart(2, '0')}`,
    reason: 'it is unknown, and what nobody described a guest does not get',
    sizeBytes: headWordBytes,
  };
}
