// PCI Local Bus 3.0 §6.2.5.1: software writes all ones and reads which bits stuck.

/** Guests map whole pages, so no BAR of memory looks smaller to them (recommended by §6.2.5.1 too). */
export const pageBytes = 4096n;

/** The address bits that a guest can change: those not below the size. Both halves are unsigned 32 bits. */
export interface AddressMask {
  readonly low: number;
  readonly high: number;
}

/** @param sizeBytes a power of two; @param typeBits low bits of the register that are never address */
export function addressMask(sizeBytes: bigint, typeBits: number): AddressMask {
  const mask = BigInt.asUintN(64, ~(sizeBytes - 1n));
  return {
    low: (Number(mask & 0xffff_ffffn) & ~typeBits) >>> 0,
    high: Number(mask >> 32n),
  };
}

export function isPowerOfTwo(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}
