import { Core, RegisterFile } from '@xenpt/core-wasm';

import { type FunctionImage, type GuestViewOptions, PciError, buildGuestView } from '../../src/index.js';
import type { BitModel } from './bits.js';
import { judge } from './oracle.js';

/** One execution, whole enough to be kept and run again. */
export interface FuzzCase {
  readonly image: FunctionImage;
  readonly options: Pick<GuestViewOptions, 'functionReset' | 'permissive' | 'multifunction'>;
  /** Offset, width, value; a read when the value is negative. */
  readonly accesses: readonly (readonly [offset: number, width: number, value: number])[];
}

const accessesPerCase = 24;
const widths = [1, 2, 4, 4, 2, 1, 4, 3, 8] as const;
const telling = [0, 0xffff_ffff, 0x5555_5555, 0xaaaa_aaaa, 0x0000_8000, 0x8000_0000, 0x0000_0003, 0x0000_0407];
const ids = [0x01, 0x03, 0x05, 0x09, 0x10, 0x11, 0x13, 0x02, 0x07, 0x08, 0x12, 0x14, 0x15, 0x00, 0x7a, 0xff];

/** xorshift32: a seed gives the same cases on every machine. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** 0 … 2^32 − 1 */
  word(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to choose from');
    return value;
  }
}

/** A function of the pool, often with something wrong in its list or its capabilities. */
export function nextCase(dice: Dice, pool: readonly FunctionImage[]): FuzzCase {
  const from = dice.of(pool);
  const config = Uint8Array.from(from.config);
  for (let changes = dice.below(6); changes > 0; changes -= 1) spoil(dice, config);
  const accesses = Array.from({ length: accessesPerCase }, () => nextAccess(dice, config));
  const options = {
    functionReset: dice.below(2) === 1,
    permissive: dice.below(4) === 0,
    multifunction: dice.below(4) === 0,
  };
  return { image: { ...from, config }, options, accesses };
}

function spoil(dice: Dice, config: Uint8Array): void {
  const at = 0x40 + 4 * dice.below(48);
  const kind = dice.below(6);
  if (at + 4 > config.length) return;
  if (kind === 0) config[at + dice.below(4)] = dice.word() & 0xff;
  // Another in the list: what follows it is what followed the head.
  if (kind === 1) config.set([dice.of(ids), config[0x34] ?? 0], at);
  if (kind <= 1) config[0x34] = at;
  if (kind === 2) config[at + 1] = 4 * dice.below(64) + dice.below(4);
  if (kind === 3)
    config.set(
      [0, 1, 2, 3].map(() => dice.word() & 0xff),
      at,
    );
  if (kind === 4) config[6] = (config[6] ?? 0) ^ 0x10;
  if (kind === 5) config[dice.below(64)] = dice.word() & 0xff;
}

function nextAccess(dice: Dice, config: Uint8Array): readonly [number, number, number] {
  const width = dice.of(widths);
  const near =
    dice.below(3) === 0 ? (config[0x34] ?? 0) + dice.below(0x20) : dice.below(dice.below(8) === 0 ? 0x1004 : 0x100);
  const offset = dice.below(8) === 0 ? near : near - (near % width);
  if (dice.below(3) === 0) return [offset, width, -1];
  const value = dice.below(2) === 0 ? dice.of(telling) : dice.word();
  return [offset, width, width < 4 ? value % 2 ** (8 * width) : value];
}

/** Engine and oracle on the same case. What differs first, in words; null when nothing does. */
export class Judge {
  readonly #file = new RegisterFile(new Core(), 256);

  run({ image, options, accesses }: FuzzCase): string | null {
    const judgement = judge(image, options);
    const file = this.#file;
    try {
      for (const { index, rule } of buildGuestView(image, options).words) file.define(index, rule);
    } catch (error) {
      if (!(error instanceof PciError)) return `threw ${String(error)}`;
      return judgement.refused ? null : `only the engine refuses: ${error.message}`;
    }
    if (judgement.refused) return 'only the oracle refuses';
    const device = new Uint8Array(256).fill(0xff);
    device.set(image.config.subarray(0, 256));
    for (const [index, access] of accesses.entries()) {
      const difference = step(file, judgement.model, device, access);
      if (difference !== null) return `access ${index} (${access.join(' ')}): ${difference}`;
    }
    return null;
  }
}

function step(
  file: RegisterFile,
  model: BitModel,
  device: Uint8Array,
  [offset, width, value]: FuzzCase['accesses'][number],
): string | null {
  let hardware = 0;
  for (let lane = Math.min(width, 4) - 1; lane >= 0; lane -= 1)
    hardware = hardware * 256 + (device[offset + lane] ?? 0xff);
  if (value < 0) {
    const [engine, oracle] = [file.read(offset, width, hardware), model.read(offset, width, device)];
    return engine === oracle ? null : `the engine reads ${engine.toString(16)}, the oracle ${oracle.toString(16)}`;
  }
  file.write(offset, width, value, hardware);
  model.write(offset, width, value, device);
  const word = offset - (offset % 4);
  for (let lane = 0; lane < 4; lane += 1) {
    const isGiven = (file.hardwareByteEnables >>> lane) % 2 === 1;
    const engine = isGiven ? (file.hardwareValue >>> (8 * lane)) & 0xff : -1;
    const oracle = model.given[word + lane] ?? -1;
    if (engine !== oracle) return `byte ${word + lane}: the engine gives ${engine}, the oracle ${oracle}`;
    if (oracle >= 0) device[word + lane] = oracle;
  }
  return null;
}
