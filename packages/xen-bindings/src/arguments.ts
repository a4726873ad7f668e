/** Checks at the border. The C side would cut a value that is too wide; here it is refused, by name. */

const DOMID_MAX = 0x7fff; // DOMID_MASK of xen/include/public/xen.h; 0x7ff0 and up are special ones such as DOMID_IO
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** An integer from `min` to `max`. @throws TypeError, RangeError */
export function requireInteger(name: string, value: number, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is ${value}; it must be an integer from ${min} to ${max}`);
  }
  return value;
}

export const requireU8 = (name: string, value: number): number => requireInteger(name, value, 0, 0xff);
export const requireU16 = (name: string, value: number): number => requireInteger(name, value, 0, 0xffff);
export const requireU32 = (name: string, value: number): number => requireInteger(name, value, 0, 0xffff_ffff);
export const requireDomid = (value: number): number => requireInteger('domid', value, 0, DOMID_MAX);

/** A bigint that fits 64 bits, unsigned. @throws TypeError, RangeError */
export function requireU64(name: string, value: bigint): bigint {
  if (typeof value !== 'bigint') throw new TypeError(`${name} must be a bigint, not ${typeof value}`);
  if (value < 0n || value > U64_MAX) throw new RangeError(`${name} is ${value}; it must be from 0 to 2^64 - 1`);
  return value;
}

/** The last element of a range of `count` things from `first` on. @throws RangeError when empty or past `max`. */
export function requireRange(name: string, first: bigint, count: bigint, max: bigint = U64_MAX): void {
  requireU64(`${name}, first`, first);
  requireU64(`${name}, count`, count);
  if (count === 0n) throw new RangeError(`${name}: count is 0; it must be at least 1`);
  if (first + count - 1n > max) throw new RangeError(`${name}: ${first} + ${count} ends after ${max}`);
}

/** A timeout of poll(2): milliseconds, or -1 for none. */
export const requireTimeout = (value: number): number => requireInteger('timeoutMs', value, -1, 0x7fff_ffff);
