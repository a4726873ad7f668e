import { formatSbdf, parseSbdf, type Sbdf } from '@xenpt/pci';
import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';

/** Highest slot on bus 0 of the guest (PCI: 5 bits of device number). */
export const LAST_SLOT = 0x1f;

export interface PassthroughSpec {
  readonly sbdf: Sbdf;
  /** Guest slot on bus 0, 0..31; absent means the first free one. */
  readonly slot?: number;
}

/**
 * Reads `BDF[@VSLOT]`. VSLOT is hexadecimal, always, as in xl's configuration.
 *
 * @throws XenOperationError XENPT_SPEC_SYNTAX
 */
export function parsePassthroughSpec(text: string): PassthroughSpec {
  if (text.includes(',') || text.includes('=')) {
    throw syntaxError(text, "xl's key=value options are not supported", 'Write BDF or BDF@VSLOT, such as 03:00.0@6.');
  }
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
 * Reads a BDF with or without segment.
 *
 * @throws XenOperationError XENPT_SPEC_SYNTAX
 */
export function parseBdf(text: string): Sbdf {
  try {
    return parseSbdf(text);
  } catch (error) {
    const next = nextStepOf(error) ?? 'See `xenpt list` for the addresses there are.';
    throw new XenOperationError(XenErrorCode.specSyntax, describeError(error), { cause: error, next });
  }
}

/** `0000:00:05.0`: a function of the guest's bus 0. */
export function formatGuestAddress(guestDevfn: number): string {
  return formatSbdf({ segment: 0, bus: 0, device: guestDevfn >> 3, function: guestDevfn & 7 });
}

function syntaxError(text: string, reason: string, next: string): XenOperationError {
  return new XenOperationError(XenErrorCode.specSyntax, `"${text}" is not a device: ${reason}`, { next });
}
