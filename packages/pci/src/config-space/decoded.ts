import type { AccessWidth } from './access.js';
import type { BitField, Register } from './register.js';

/** What the specification says of a register besides where it is. */
interface Masks {
  readonly ro?: number;
  readonly rw1c?: number;
  readonly rsvdp?: number;
  readonly rsvdz?: number;
}

const why = 'Decoded for the operator; no guest sees the register.';

/** A register of a capability that no guest gets: it has a meaning, and no policy of its own. */
export function decoded(
  offset: number,
  width: AccessWidth,
  fields: Readonly<Record<string, BitField>> = {},
  masks: Masks = {},
): Register {
  return { offset, width, reset: 0, ...masks, fields, guest: { why } };
}
