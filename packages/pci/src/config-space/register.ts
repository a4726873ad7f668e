import { type AccessWidth, allOnes } from './access.js';

/** What the values of a field mean to a person: their names by value, or words made of the value. */
export type FieldMeaning = Readonly<Record<number, string>> | ((value: number) => string);

/** First bit and number of bits; what is left without a meaning is a flag or a plain number. */
export type BitField = readonly [firstBit: number, bitCount: number, meaning?: FieldMeaning];

/**
 * What a guest may see and touch of one register. A mask left out is 0, so the policy `{ why }` alone is the
 * default of the house: the guest reads the device and its writes are dropped.
 */
export interface GuestPolicy {
  /** 1: the guest reads the shadow; 0: the guest reads the device. */
  readonly virtual?: number;
  /** Bits of `virtual` whose shadow starts as the device's value at attach; the others start as `reset`. */
  readonly latch?: number;
  /** Bits of `virtual` that a guest's write changes. */
  readonly shadowWrite?: number;
  /** Bits outside `virtual` in which a guest's write reaches the device. */
  readonly hardwareWrite?: number;
  /** Bits outside `virtual` and `hardwareWrite` that are 0 in every write that reaches the device. */
  readonly hardwareZero?: number;
  /** Bits of `shadowWrite` whose change the device model hears of. */
  readonly notify?: number;
  readonly why: string;
}

/**
 * One register as the specification has it. The masks have vPCI's names; a bit in none of them is read-write.
 * `offset` counts from the start of the header or capability; masks and `reset` are right-aligned.
 */
export interface Register {
  readonly offset: number;
  readonly width: AccessWidth;
  /** Value after reset, as a guest finds it. */
  readonly reset: number;
  /** Read-only. */
  readonly ro?: number;
  /** Cleared by writing 1. */
  readonly rw1c?: number;
  /** Reserved, software preserves what it read. */
  readonly rsvdp?: number;
  /** Reserved, software writes 0. */
  readonly rsvdz?: number;
  readonly fields?: Readonly<Record<string, BitField>>;
  readonly guest: GuestPolicy;
}

export type RegisterSet = Readonly<Record<string, Register>>;

/** Value of one field of a register's value. */
export function extractField(value: number, [firstBit, bitCount]: BitField): number {
  return ((value >>> firstBit) & (0xffff_ffff >>> (32 - bitCount))) >>> 0;
}

/** The words for a field's value; null when it is a flag or a plain number. */
export function explainField(value: number, [, , meaning]: BitField): string | null {
  if (meaning === undefined) return null;
  return typeof meaning === 'function' ? meaning(value) : (meaning[value] ?? `reserved (${value})`);
}

/** Every field of a register's value by name; a register without fields gives an empty object. */
export function decodeFields(register: Register, value: number): Readonly<Record<string, number>> {
  const entries = Object.entries(register.fields ?? {});
  return Object.fromEntries(entries.map(([name, field]) => [name, extractField(value, field)]));
}

/** The shadow a guest starts with: `reset` and, under `latch`, what the device says now; 0 outside `virtual`. */
export function initialShadow(register: Register, hardware: number): number {
  const { latch = 0, virtual = 0 } = register.guest;
  return (((register.reset & ~latch) | (hardware & latch)) & virtual & allOnes(register.width)) >>> 0;
}
