import { formatSbdf, type Sbdf } from '@xenpt/pci';
import { type DeviceSpec, type FunctionAddress, parseDevice } from '@xenpt/pci/grammar';
import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import type { Sysfs } from './host.js';
import { hasDevice } from './pciback.js';

const FUNCTION_COUNT = 8;

/** Highest slot on bus 0 of the guest (PCI: 5 bits of device number). */
export const LAST_SLOT = 0x1f;

export interface PassthroughSpec {
  readonly sbdf: Sbdf;
  /** Guest slot on bus 0, 0..31; absent means the first free one. */
  readonly slot?: number;
  /** Those of xl that mean something here. */
  readonly options?: SpecOptions;
}

export interface SpecOptions {
  readonly permissive?: boolean;
  /** Takes the device from its driver in dom0 first. */
  readonly seize?: boolean;
  /** `relaxed`: reserved memory that the guest's memory map does not respect is no reason to refuse it. */
  readonly rdmPolicy?: RdmPolicy;
}

export type RdmPolicy = 'strict' | 'relaxed';

/** Why an option of xl-pci-configuration(5) can only be 0. */
const REFUSED = {
  msitranslate: 'only qemu-traditional translated line interrupts into messages; lines work as they are',
  power_mgmt: 'only qemu-traditional passed power states on; the guest has the states of its own registers',
} as const;

/**
 * Reads `BDF[@VSLOT][,key=value…]`, as xl's configuration has it; VSLOT is hexadecimal, always.
 *
 * @throws XenOperationError XENPT_SPEC_SYNTAX; XENPT_OPTION_REFUSED for an option that has no effect here
 */
export function parsePassthroughSpec(text: string): PassthroughSpec {
  const comma = text.indexOf(',');
  if (comma < 0) return parsePlace(text);
  const [place, slot] = text.slice(0, comma).split('@');
  const { virtualSlot, options } = parseOptions(text, `${place}${text.slice(comma)}`);
  for (const key of ['msitranslate', 'power_mgmt'] as const) {
    if (options[key] === true) throw refusedOption(text, key, REFUSED[key]);
  }
  if (virtualSlot !== undefined && slot !== undefined) {
    throw syntaxError(text, 'the slot is given twice', 'Write @VSLOT or vslot=, not both.');
  }
  const { permissive, seize, rdm_policy: rdmPolicy } = options;
  return {
    ...parsePlace(text.slice(0, comma)),
    ...(virtualSlot === undefined ? {} : { slot: virtualSlot }),
    options: {
      ...(permissive === undefined ? {} : { permissive }),
      ...(seize === undefined ? {} : { seize }),
      ...(rdmPolicy === undefined ? {} : { rdmPolicy }),
    },
  };
}

function parseOptions(text: string, withoutSlot: string): DeviceSpec {
  try {
    return parseDevice(withoutSlot, 'xl');
  } catch (error) {
    const next = nextStepOf(error) ?? 'Write BDF[@VSLOT][,key=value…], such as 03:00.0@6,permissive=1.';
    throw new XenOperationError(XenErrorCode.specSyntax, describeError(error), { cause: error, next });
  }
}

function refusedOption(text: string, key: string, reason: string): XenOperationError {
  return new XenOperationError(XenErrorCode.optionRefused, `"${text}": ${key} has no effect here: ${reason}`, {
    next: `Leave ${key} out.`,
  });
}

function parsePlace(text: string): PassthroughSpec {
  const [address = '', slotText, ...rest] = text.split('@');
  const sbdf = parseBdf(address);
  if (slotText === undefined) return { sbdf };
  if (rest.length > 0 || !/^(0x)?[0-9a-f]{1,2}$/i.test(slotText)) {
    throw syntaxError(text, `"${slotText}" is not a slot`, 'A slot is one or two hexadecimal digits, 4 to 1f.');
  }
  const slot = Number.parseInt(slotText, 16);
  if (slot > LAST_SLOT) {
    throw syntaxError(text, `slot 0x${slot.toString(16)} does not exist`, `Slots are hexadecimal and end at 1f.`);
  }
  return { sbdf, slot };
}

/**
 * Reads the address of one function, in any dialect that names one.
 *
 * @throws XenOperationError XENPT_SPEC_SYNTAX
 */
export function parseBdf(text: string): Sbdf {
  const { function: number, ...device } = parseAddress(text);
  if (number !== '*') return { ...device, function: number };
  const example = formatSbdf({ ...device, function: 0 });
  throw syntaxError(text, 'it names all functions of a device, not one', `Write one of them, such as ${example}.`);
}

/**
 * The functions that a word means: one address, or with `03:00.*` and `03:00` every function that is there.
 *
 * @returns canonical addresses, in order
 * @throws XenOperationError XENPT_SPEC_SYNTAX; XENPT_NO_SUCH_DEVICE when all are meant and none is there
 */
export function expandBdf({ sysfs }: { readonly sysfs: Sysfs }, text: string): string[] {
  const { function: number, ...device } = parseAddress(text);
  if (number !== '*') return [formatSbdf({ ...device, function: number })];
  const all = Array.from({ length: FUNCTION_COUNT }, (_, index): Sbdf => ({ ...device, function: index }));
  const found = all.filter((sbdf) => hasDevice(sysfs, sbdf));
  if (found.length > 0) return found.map(formatSbdf);
  throw new XenOperationError(XenErrorCode.noSuchDevice, `"${text}" names no function of this host`, {
    next: 'See `xenpt list` for the devices there are.',
  });
}

function parseAddress(text: string): FunctionAddress {
  try {
    const { address, dialect } = parseDevice(text);
    if (address !== undefined && dialect !== 'xl') return address;
  } catch (error) {
    const next = nextStepOf(error) ?? 'See `xenpt list` for the addresses there are.';
    throw new XenOperationError(XenErrorCode.specSyntax, describeError(error), { cause: error, next });
  }
  throw syntaxError(text, "xl's options do not belong to an address", 'Write BDF, such as 03:00.0.');
}

/** `0000:00:05.0`: a function of the guest's bus 0. */
export function formatGuestAddress(guestDevfn: number): string {
  return formatSbdf({ segment: 0, bus: 0, device: guestDevfn >> 3, function: guestDevfn & 7 });
}

function syntaxError(text: string, reason: string, next: string): XenOperationError {
  return new XenOperationError(XenErrorCode.specSyntax, `"${text}" is not a device: ${reason}`, { next });
}
