import { type GuestBar, resolveBars } from '../bars/bar.js';
import { type Circumstances, plainCircumstances } from '../capabilities/capability.js';
import { extendedRegisters } from '../capabilities/extended/extended-capability.js';
import { extendedCapabilities } from '../capabilities/extended/index.js';
import { catalogue } from '../capabilities/index.js';
import { PciError } from '../errors.js';
import type { Resource } from '../resource.js';
import { type AccessWidth, readLittleEndian } from './access.js';
import { type FoundCapability, listCapabilities } from './capability-list.js';
import { decodeExtendedSpace } from './extended.js';
import { checkHeader } from './header.js';
import { type Register, type RegisterSet, explainField, extractField } from './register.js';

export interface DescribedField {
  readonly name: string;
  readonly bitCount: number;
  readonly value: number;
  /** The value in words; null when it is a flag or a plain number. */
  readonly text: string | null;
}

export interface DescribedRegister {
  /** From the start of configuration space. */
  readonly offset: number;
  readonly width: AccessWidth;
  readonly name: string;
  readonly value: number;
  readonly fields: readonly DescribedField[];
}

/** A capability as a person wants to know it before passing the function through. */
export interface CapabilityDescription {
  readonly offset: number;
  readonly id: number;
  /** It stands in the extended space, 0x100 to 0xfff. */
  readonly extended: boolean;
  readonly name: string;
  /** Of an extended capability; the others have theirs, if any, in a register. */
  readonly version: number | null;
  /** What stands in it, in a phrase; null where there is nothing to say. */
  readonly summary: string | null;
  /** Whether a guest finds it in its list. */
  readonly visible: boolean;
  /** What the guest gets of it, a sentence; of a hidden one the reason, `it …`. */
  readonly meaning: string;
  /** What to know of this one before passing the function through, sentences. */
  readonly remarks: readonly string[];
  /** Without id and next pointer. */
  readonly registers: readonly DescribedRegister[];
}

export interface CapabilityListing {
  /** In the device's order, those of the extended space last. */
  readonly capabilities: readonly CapabilityDescription[];
  /** Why a list ends early; empty when both end as they should. */
  readonly faults: readonly string[];
}

/** What is described; without `resources` nothing is said of where in BARs something lies. */
export interface DescribedImage {
  /** 64, 256 or 4096 bytes. */
  readonly config: Uint8Array;
  readonly resources?: readonly Resource[];
}

/**
 * Every capability of a function, decoded for people, with what it means for passthrough.
 *
 * @throws {@link PciError} `PCI_CONFIG_LENGTH`, `PCI_FUNCTION_ABSENT` or `PCI_HEADER_TYPE_UNSUPPORTED`
 */
export function describeCapabilities(image: DescribedImage, given: Partial<Circumstances> = {}): CapabilityListing {
  const circumstances = { ...plainCircumstances, ...given };
  const { config } = image;
  checkHeader(config);
  const list = listCapabilities(config, catalogue, circumstances);
  const bars = placedBars(image);
  const standard = [
    ...list.found.map((one) => describeFound(config, one, bars, circumstances)),
    ...list.hidden.map((one) => {
      const known = list.concealed.find(({ offset }) => offset === one.offset);
      const described = known && describeFound(config, known, null, circumstances);
      const { offset, id, name, reason } = one;
      const plain = { extended: false, version: null, summary: null, registers: [] };
      return { ...plain, ...described, offset, id, name, visible: false, meaning: reason, remarks: [] };
    }),
  ];
  const extended = decodeExtendedSpace(config);
  return {
    capabilities: [
      ...standard.sort((a, b) => list.order.indexOf(a.offset) - list.order.indexOf(b.offset)),
      ...extended.capabilities.map((one) => describeExtended(config, one)),
    ],
    faults: [list.fault, extended.fault].filter((fault) => fault !== null),
  };
}

/** Null when the ranges are not known or cannot be a BAR's, which building the guest's view says better. */
function placedBars({ resources }: DescribedImage): readonly GuestBar[] | null {
  try {
    return resources === undefined ? null : resolveBars(resources);
  } catch (error) {
    if (error instanceof PciError) return null;
    throw error;
  }
}

function describeFound(
  config: Uint8Array,
  { offset, id, name, bytes, definition, registers }: FoundCapability,
  bars: readonly GuestBar[] | null,
  circumstances: Circumstances,
): CapabilityDescription {
  const instance = { offset, bytes, bars: bars ?? [], circumstances };
  const geometry = bars === null ? {} : (definition.geometry?.(instance) ?? {});
  const refusal = 'refusal' in geometry ? geometry.refusal : undefined;
  return {
    offset,
    id,
    extended: false,
    name,
    version: null,
    summary: definition.summary?.(bytes) ?? null,
    visible: refusal === undefined,
    meaning: refusal ?? definition.meaning ?? '',
    remarks: refusal === undefined ? (definition.remarks?.(instance) ?? []) : [],
    registers: describeRegisterSet(config, offset, registers).slice(headRegisters),
  };
}

/** Id and next pointer come first in every set. */
const headRegisters = 2;

function describeExtended(
  config: Uint8Array,
  { offset, id, version, name, meaning }: ReturnType<typeof decodeExtendedSpace>['capabilities'][number],
): CapabilityDescription {
  const known = extendedCapabilities.find((candidate) => candidate.id === id);
  const bytes = config.subarray(offset);
  return {
    offset,
    id,
    extended: true,
    name,
    version,
    summary: known?.summary?.(bytes) ?? null,
    visible: false,
    meaning: meaning ?? 'Nobody described it here.',
    remarks: known?.remarks?.(bytes) ?? [],
    registers: describeRegisterSet(config, offset, known === undefined ? {} : extendedRegisters(known, bytes)),
  };
}

function describeRegisterSet(config: Uint8Array, base: number, registers: RegisterSet): DescribedRegister[] {
  return Object.entries(registers).map(([name, register]) => {
    const offset = base + register.offset;
    const value = readLittleEndian(config, offset, register.width);
    return { offset, width: register.width, name, value, fields: describeFields(register, value) };
  });
}

/** Every field of a register's value, in the order of the specification, with its meaning. */
export function describeFields({ fields = {} }: Register, value: number): DescribedField[] {
  return Object.entries(fields).map(([name, field]) => {
    const part = extractField(value, field);
    return { name, bitCount: field[1], value: part, text: explainField(part, field) };
  });
}
