import { CoreRangeError, CoreTypeError } from './errors.js';

/** True for 0 … 2^32 - 1. A number beyond would be taken modulo 2^32 on its way into WASM and hit a wrong place. */
export function isU32(value: number): boolean {
  return value >>> 0 === value;
}

/** All ones of `width` bytes, at most 32 bits; 0 for a width that has no byte. */
export function allOnes(width: number): number {
  if (width >= 4) return 0xffff_ffff;
  return width >= 1 ? (1 << (8 * Math.trunc(width))) - 1 : 0;
}

/**
 * @throws {CoreTypeError} not a number
 * @throws {CoreRangeError} not an integer from `minimum` to `maximum`
 */
export function requireInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (typeof value !== 'number') throw new CoreTypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new CoreRangeError(
      'CORE_ARGUMENT_RANGE',
      `${name} is ${value}: pass an integer from ${minimum} to ${maximum}`,
    );
  }
}

/** `0x0000ffff`, for messages. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
