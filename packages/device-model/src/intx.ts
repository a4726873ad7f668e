import type { ConfigAccess } from '@xenpt/pci';
import type { Effect } from './effects.js';

const commandOffset = 4;

/** COMMAND bit 10, PCI Local Bus Specification 3.0, 6.2.2. */
export const intxDisableBit = 0x400;

/**
 * Interrupt lines that Linux uses to say "none": 0, 255 ("unknown" in the register), and numbers with the top bit set.
 */
const noLine = 255;
const firstNegativeLine = 0x8000_0000;

/** The host interrupt line of a function that has a pin, or null when there is nothing to map. */
export function usableGsi(interruptPin: number, irq: number): number | null {
  const hasPin = interruptPin >= 1 && interruptPin <= 4;
  const hasLine = Number.isInteger(irq) && irq > 0 && irq !== noLine && irq < firstNegativeLine;
  return hasPin && hasLine ? irq : null;
}

/** Pin 1..4 to INTA..INTD = 0..3. */
export function intxOf(interruptPin: number): number {
  return interruptPin >= 1 && interruptPin <= 4 ? interruptPin - 1 : 0;
}

/**
 * The hardware side of the guest's INTx disable bit: setting always passes, clearing only while a line is bound.
 * One byte is written, so that the other half of COMMAND is never written from a stale read.
 */
export function intxDisableEffect(
  config: Pick<ConfigAccess, 'read'>,
  disable: boolean,
  intxBound: boolean,
): Effect | null {
  if (!disable && !intxBound) return null;
  const offset = commandOffset + 1;
  const bit = intxDisableBit >>> 8;
  const upper = config.read(offset, 1);
  const value = disable ? upper | bit : upper & ~bit & 0xff;
  return value === upper ? null : { type: 'writeConfig', offset, width: 1, value };
}
