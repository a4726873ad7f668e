import { Core, type CoreBuild, RegisterFile } from '@xenpt/core-wasm';

import { type FunctionImage, type GuestViewOptions, PciError, buildGuestView } from '../../src/index.js';
import type { BitModel } from './bits.js';
import { judge } from './oracle.js';

/** Probes made and the first differences found, in words. */
export interface Comparison {
  probes: number;
  /** Whether the function was refused by both. */
  refused: boolean;
  readonly differences: string[];
}

const enoughDifferences = 10;
const widths = [1, 2, 4] as const;
const configBytes = 256;
const extendedBytes = 4096;

type Options = Pick<GuestViewOptions, 'functionReset' | 'msiVectorLimit' | 'permissive' | 'multifunction'> & {
  /** False: nothing behind byte 256, which is the same for all. */
  readonly extended?: boolean;
};

/**
 * Every offset, width 1, 2 and 4, every bit written as 1 and as 0, on a device that answers as recorded and on one
 * that answers the opposite since: engine against oracle. What is compared after each write: what the guest reads in
 * the whole word, and every byte that the device is given.
 */
export function compare(image: FunctionImage, options: Options = {}, build: CoreBuild = 'release'): Comparison {
  const comparison: Comparison = { probes: 0, refused: false, differences: [] };
  const judgement = judge(image, options);
  let file: RegisterFile;
  try {
    file = fileOf(image, options, build);
  } catch (error) {
    if (!(error instanceof PciError)) throw error;
    comparison.refused = true;
    if (!judgement.refused) comparison.differences.push(`the engine refuses: ${error.message}`);
    return comparison;
  }
  if (judgement.refused) {
    comparison.differences.push('the oracle refuses, the engine does not');
    return comparison;
  }
  const recorded = new Uint8Array(configBytes).fill(0xff);
  recorded.set(image.config.subarray(0, configBytes));
  for (const device of [recorded, recorded.map((byte) => byte ^ 0xff)]) {
    probeAll(new Pair(file, judgement.model, device, comparison));
  }
  if (options.extended !== false) probeExtended(file, comparison);
  return comparison;
}

function fileOf(image: FunctionImage, options: Options, build: CoreBuild): RegisterFile {
  const view = buildGuestView(image, options);
  const file = new RegisterFile(new Core({ build }), configBytes);
  for (const { index, rule } of view.words) file.define(index, rule);
  return file;
}

function probeAll(pair: Pair): void {
  for (const width of widths) {
    const full = 2 ** (8 * width) - 1;
    for (let offset = 0; offset < configBytes; offset += width) {
      const current = pair.read(offset, width);
      for (let bit = 0; bit < 8 * width; bit += 1) {
        const one = 2 ** bit;
        const isSet = Math.floor(current / one) % 2 === 1;
        pair.write(offset, width, isSet ? current - one : current + one);
        pair.write(offset, width, one);
        pair.write(offset, width, full - one);
      }
    }
  }
  for (const width of widths) {
    for (let offset = 1; offset < configBytes; offset += 1) {
      if (offset % width !== 0) pair.odd(offset, width);
    }
  }
  for (const width of [0, 3, 5, 6, 7, 8, 16]) {
    for (let offset = 0; offset < configBytes; offset += 1) pair.odd(offset, width);
  }
}

/** C6: behind byte 256 a guest reads all ones and writes nothing. */
function probeExtended(file: RegisterFile, comparison: Comparison): void {
  for (const width of widths) {
    const ones = 2 ** (8 * width) - 1;
    for (let offset = configBytes; offset < extendedBytes; offset += width) {
      for (let bit = 0; bit < 8 * width; bit += 1) {
        file.write(offset, width, 2 ** bit, 0);
        const silent = file.hardwareByteEnables === 0 && file.read(offset, width, 0) === ones;
        comparison.probes += 1;
        if (!silent && comparison.differences.length < enoughDifferences) {
          comparison.differences.push(`extended byte 0x${offset.toString(16)} answers`);
        }
      }
    }
  }
}

/** Engine and oracle beside each other, on the same device. */
class Pair {
  readonly #file: RegisterFile;
  readonly #model: BitModel;
  readonly #device: Uint8Array;
  readonly #comparison: Comparison;
  readonly #view: DataView;

  constructor(file: RegisterFile, model: BitModel, device: Uint8Array, comparison: Comparison) {
    this.#file = file;
    this.#model = model;
    this.#device = device;
    this.#comparison = comparison;
    this.#view = new DataView(device.buffer, device.byteOffset, device.length);
    file.reset();
    model.forget();
  }

  read(offset: number, width: 1 | 2 | 4): number {
    const engine = this.#file.read(offset, width, this.#hardware(offset, width));
    this.#check(engine, this.#model.read(offset, width, this.#device), () => `read of ${width} at ${offset}`);
    return engine;
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    const file = this.#file;
    const model = this.#model;
    const word = offset - (offset % 4);
    file.write(offset, width, value, this.#hardware(offset, width));
    model.write(offset, width, value, this.#device);
    const enables = file.hardwareByteEnables;
    const given = file.hardwareValue;
    for (let lane = 0; lane < 4; lane += 1) {
      const engine = (enables >>> lane) % 2 === 1 ? (given >>> (8 * lane)) & 0xff : -1;
      this.#check(engine, model.given[word + lane] ?? -1, () => {
        return `byte ${word + lane} given to the device by a write of ${width} at ${offset}, 0x${value.toString(16)}`;
      });
    }
    this.#check(
      file.read(word, 4, this.#hardware(word, 4)),
      model.read(word, 4, this.#device),
      () => `word ${word} after a write of ${width} at ${offset}, 0x${value.toString(16)}`,
    );
    this.#restore(word);
  }

  /** C11: what no bus carries. */
  odd(offset: number, width: number): void {
    this.#file.write(offset, width, 0xffff_ffff, 0);
    this.#check(this.#file.hardwareByteEnables, 0, () => `odd write of ${width} at ${offset}`);
    const engine = this.#file.read(offset, width, 0);
    this.#check(engine, this.#model.read(offset, width, this.#device), () => `odd read of ${width} at ${offset}`);
    const word = offset - (offset % 4);
    this.#check(
      this.#file.read(word, 4, this.#hardware(word, 4)),
      this.#model.read(word, 4, this.#device),
      () => `word ${word} after an odd write of ${width} at ${offset}`,
    );
  }

  /** Both back to what stood in the word at attach. */
  #restore(word: number): void {
    const model = this.#model;
    let shadow = 0;
    for (let bit = 31; bit >= 0; bit -= 1) {
      const at = 8 * word + bit;
      shadow = (shadow << 1) | (model.initial[at] ?? 0);
      model.held[at] = model.initial[at] ?? 0;
    }
    this.#file.setShadow(word / 4, shadow >>> 0);
  }

  #hardware(offset: number, width: 1 | 2 | 4): number {
    if (width === 1) return this.#device[offset] ?? 0xff;
    return width === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true);
  }

  #check(engine: number, oracle: number, what: () => string): void {
    const { differences } = this.#comparison;
    this.#comparison.probes += 1;
    if (engine !== oracle && differences.length < enoughDifferences) {
      differences.push(`${what()}: engine ${engine.toString(16)}, oracle ${oracle.toString(16)}`);
    }
  }
}
