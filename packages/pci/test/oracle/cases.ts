import type { FunctionImage, GuestViewOptions } from '../../src/index.js';
import { recordedDevices } from '../support/fixtures.js';
import { hostileImages } from '../support/hostile-images.js';
import { Dice } from './dice.js';

/** Offset, width, value; a read when the value is negative. */
export type Access = readonly [offset: number, width: number, value: number];

/** A function with something wrong in it: a known image, and what is written over it. */
export interface Subject {
  readonly base: string;
  readonly patch: readonly (readonly [offset: number, byte: number])[];
  readonly options: Pick<GuestViewOptions, 'functionReset' | 'permissive' | 'multifunction'>;
}

/** One execution, whole enough to be kept and run again. */
export interface FuzzCase extends Subject {
  readonly accesses: readonly Access[];
}

/** What a subject's patch is put on, by name. */
export const bases: ReadonlyMap<string, FunctionImage> = new Map([
  ...recordedDevices().map(({ name, place, image }, index) => [`${name}, ${place} (${index})`, image] as const),
  ...Object.entries(hostileImages),
]);
const baseNames = [...bases.keys()];

const accessesPerCase = 12;
const mostPatched = 16;
const widths = [1, 2, 4, 4, 2, 1, 4, 3, 8] as const;
const telling = [0, 0xffff_ffff, 0x5555_5555, 0xaaaa_aaaa, 0x0000_8000, 0x8000_0000, 0x0000_0003, 0x0000_0407];
const ids = [0x01, 0x03, 0x05, 0x09, 0x10, 0x11, 0x13, 0x02, 0x07, 0x08, 0x12, 0x14, 0x15, 0x00, 0x7a, 0xff];

/** Throws a RangeError when the base is no longer there. */
export function imageOf({ base, patch }: Subject): FunctionImage {
  const image = bases.get(base);
  if (image === undefined) throw new RangeError(`there is no image "${base}"`);
  const config = Uint8Array.from(image.config);
  for (const [offset, byte] of patch) if (offset < config.length) config[offset] = byte;
  return { ...image, config };
}

export function newSubject(dice: Dice): Subject {
  return changedSubject(dice, { base: dice.of(baseNames), patch: [], options: {} });
}

/** Another like it. */
export function changedSubject(dice: Dice, { base, patch }: Subject): Subject {
  const pointer = bases.get(base)?.config[0x34] ?? 0;
  const more = Array.from({ length: dice.below(6) }, () => spoil(dice, pointer)).flat();
  const options = {
    functionReset: dice.below(2) === 1,
    permissive: dice.below(4) === 0,
    multifunction: dice.below(4) === 0,
  };
  return { base, patch: [...patch, ...more].slice(-mostPatched), options };
}

type Patch = (readonly [number, number])[];

function spoil(dice: Dice, pointer: number): Patch {
  const at = 0x40 + 4 * dice.below(48);
  switch (dice.below(6)) {
    case 0:
      return [
        [at + dice.below(4), dice.word() & 0xff],
        [0x34, at],
      ];
    // Another in the list: what follows it is what followed the head.
    case 1:
      return [
        [at, dice.of(ids)],
        [at + 1, pointer],
        [0x34, at],
      ];
    case 2:
      return [[at + 1, 4 * dice.below(64) + dice.below(4)]];
    case 3:
      return [0, 1, 2, 3].map((lane): [number, number] => [at + lane, dice.word() & 0xff]);
    case 4:
      return [[6, dice.word() & 0x10]];
    default:
      return [[dice.below(64), dice.word() & 0xff]];
  }
}

export function newAccesses(dice: Dice, pointer: number): Access[] {
  return Array.from({ length: accessesPerCase }, () => newAccess(dice, pointer));
}

/** A sequence near one that led somewhere. */
export function changedAccesses(dice: Dice, accesses: readonly Access[], pointer: number): Access[] {
  return accesses.map((access) => {
    const [offset, width, value] = access;
    const kind = dice.below(6);
    if (kind === 0) return newAccess(dice, pointer);
    if (kind === 1) return [offset, width, value < 0 ? newValue(dice, width) : -1];
    if (kind === 2 && value >= 0) return [offset, width, narrowed(value ^ (1 << dice.below(32)), width)];
    return access;
  });
}

function newAccess(dice: Dice, pointer: number): Access {
  const width = dice.of(widths);
  const isNear = dice.below(3) === 0;
  const near = isNear ? pointer + dice.below(0x20) : dice.below(dice.below(8) === 0 ? 0x1004 : 0x100);
  const offset = dice.below(8) === 0 ? near : near - (near % width);
  return [offset, width, dice.below(3) === 0 ? -1 : newValue(dice, width)];
}

function newValue(dice: Dice, width: number): number {
  return narrowed(dice.below(2) === 0 ? dice.of(telling) : dice.word(), width);
}

function narrowed(value: number, width: number): number {
  return width < 4 ? (value & (2 ** (8 * width) - 1)) >>> 0 : value >>> 0;
}
