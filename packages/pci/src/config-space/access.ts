/** PCI Local Bus 3.0 §6.1: configuration cycles carry 1, 2 or 4 bytes and never cross a 32-bit word. */
export type AccessWidth = 1 | 2 | 4;

/**
 * One function's configuration space. The user of the engine supplies it: sysfs, a recording, a fake.
 * Values are unsigned and little-endian; `offset` is a multiple of `width`.
 */
export interface ConfigAccess {
  /** All ones of the width when the read fails, as the bus answers for a device that is not there. */
  read(offset: number, width: AccessWidth): number;
  write(offset: number, width: AccessWidth, value: number): void;
}

/** 0xff, 0xffff or 0xffffffff. */
export function allOnes(width: AccessWidth): number {
  return 0xffff_ffff >>> (32 - 8 * width);
}

/** Unsigned little-endian value of `width` bytes; all ones when they are not all inside `bytes`. */
export function readLittleEndian(bytes: Uint8Array, offset: number, width: AccessWidth): number {
  if (offset < 0 || offset + width > bytes.length) return allOnes(width);
  const byte = bytes[offset] ?? 0;
  if (width === 1) return byte;
  const half = byte | ((bytes[offset + 1] ?? 0) << 8);
  if (width === 2) return half;
  return (half | ((bytes[offset + 2] ?? 0) << 16) | ((bytes[offset + 3] ?? 0) << 24)) >>> 0;
}
