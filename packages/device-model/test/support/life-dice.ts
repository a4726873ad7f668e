import type { FunctionImage, Resource } from '@xenpt/pci';
import type { HypervisorCallName } from '../../src/testing/index.js';
import type { Dice } from './dice.js';
import { configType, descendingFlag, memoryType, pointerFlag, readFlag, type GuestRequest } from './guest-request.js';
import { guestMemoryAt, type Execution, type Life } from './life.js';
import { slot } from './rig.js';

const requestsPerExecution = 10;

const telling = [0, 1, 3, 7, 0x407, 0x8000, 0xc000, 0x00f1_0000, 0x8000_0000, 0xf000_0000, 0xfee0_1000, 0xffff_ffff];
/** Of writes to memory: few bytes, so that one which is nobody's is seen in an answer. */
const entryWords = [0, 1, 0xfee0_1000, 0xfee0_0000, 0x0000_4041, 0x0000_4000, 0x0001_0000];
const places = [0, 0x1000, 0x7fff_0000, 0xfebf_f000, 0xfee0_0000, 0xe000_0000, 0xf000_0000, 0xf004_0000, 0xffff_ffff];
const ports = [0, 0xc000, 0xc100, 0xcf8, 0xfff0, 0x3f8];
const oddSizes = [0, 3, 5, 8, 9, 16, 0xffff_ffff];
const refusable = ['mapMemory', 'unmapMemory', 'claimMemory', 'mapMsi', 'bindMsi', 'unbindMsi', 'unmapPirq'] as const;

/** Another life of the device, from what the dice say; what it lived is in `life` afterwards, to be lived again. */
export class LifeDice {
  readonly life: Life;
  readonly #dice: Dice;
  readonly #executions: Execution[] = [];
  readonly #resources: readonly Resource[];
  readonly #usesMemory: boolean;
  readonly #isRefused: boolean;
  /** Where its registers are that do most: header, capabilities. */
  readonly #heads: readonly number[];
  #left: number;

  constructor(dice: Dice, device: string, image: FunctionImage, executions: number) {
    this.#dice = dice;
    this.#resources = image.resources;
    this.#left = executions;
    this.#usesMemory = dice.below(4) === 0;
    this.#isRefused = dice.below(8) === 0;
    const patch = dice.below(3) === 0 ? spoil(dice) : [];
    this.#heads = heads(image.config);
    this.life = { device, patch, barAccess: dice.below(2) === 0, executions: this.#executions };
  }

  next(): Execution | null {
    if (this.#left === 0) return null;
    this.#left -= 1;
    const requests = this.#dice.below(4) === 0 ? [] : this.#placed();
    for (let count = 0; count < requestsPerExecution; count += 1) requests.push(this.#request());
    const isRefused = this.#isRefused && this.#dice.below(4) === 0;
    const refused: HypervisorCallName | undefined = isRefused ? this.#dice.of(refusable) : undefined;
    const execution = { requests, ...(refused === undefined ? {} : { refused }) };
    this.#executions.push(execution);
    return execution;
  }

  /** A BAR put somewhere, and decode on. */
  #placed(): GuestRequest[] {
    return [this.#bar(), configWrite(4, 2, 7)];
  }

  #bar(): GuestRequest {
    const dice = this.#dice;
    if (this.#resources.length === 0) return configWrite(0x10 + 4 * dice.below(6), 4, dice.of(places));
    const { index, kind } = dice.of(this.#resources);
    const offset = index === 6 ? 0x30 : 0x10 + 4 * index;
    if (kind === 'io') return configWrite(offset, 4, dice.of(ports));
    const page = dice.below(4) === 0 ? 4096 * dice.below(64) : 0;
    return configWrite(offset, 4, (dice.of(places) + page + (index === 6 ? 1 : 0)) >>> 0);
  }

  #request(): GuestRequest {
    const dice = this.#dice;
    switch (dice.below(16)) {
      case 0:
        return this.#bar();
      case 1:
      case 2:
        return configWrite(4, 2, dice.of([0, 2, 3, 7, 0x407, 0x403]));
      case 3:
      case 4:
        return this.#memory();
      case 5:
        return this.#odd();
      case 6:
      case 7:
      case 8:
        return this.#config(readFlag);
      default:
        return this.#config(0);
    }
  }

  #config(flags: number): GuestRequest {
    const dice = this.#dice;
    const size = dice.of([1, 2, 4]);
    const isHead = dice.below(2) === 0 && this.#heads.length > 0;
    const near = isHead ? dice.of(this.#heads) + dice.below(0x18) : dice.below(0x104);
    const offset = near - (near % size);
    const value = dice.below(2) === 0 ? dice.of(telling) : dice.word();
    return [configType, flags, size, 1, offset, slot, value, 0];
  }

  #memory(): GuestRequest {
    const dice = this.#dice;
    const size = dice.of([4, 4, 4, 8, 8, 2, 1]);
    const address = (dice.of(places) + dice.below(3) * 4096 + size * dice.below(64)) >>> 0;
    const isPointer = this.#usesMemory && dice.below(4) === 0;
    const flags = (dice.below(2) === 0 ? readFlag : 0) | (dice.below(8) === 0 ? descendingFlag : 0);
    const count = dice.below(8) === 0 ? dice.below(16) : 1;
    if (!isPointer) return [memoryType, flags, size, count, address, 0, dice.of(entryWords), dice.of(entryWords)];
    const pointer = guestMemoryAt + 8 * dice.below(600);
    return [memoryType, flags | pointerFlag, size, count, address, 0, pointer, dice.below(8) === 0 ? 1 : 0];
  }

  /** What no processor sends, or seldom: the loop answers it all the same. */
  #odd(): GuestRequest {
    const dice = this.#dice;
    const type = dice.of([0, memoryType, configType, configType, 7, 8, 9, 255]);
    const size = dice.below(2) === 0 ? dice.of(oddSizes) : dice.of([1, 2, 4]);
    const isPointer = this.#usesMemory && dice.below(8) === 0;
    const flags = (dice.word() & (readFlag | descendingFlag)) | (isPointer ? pointerFlag : 0);
    const count = dice.of([0, 1, 1, 1, 1, 2, 4097, 0xffff_ffff]);
    const addressHigh =
      type === configType ? dice.of([slot, slot, slot + 1, 0, dice.word()]) : dice.of([0, 1, dice.word()]);
    return [
      type,
      flags,
      size,
      count,
      (dice.word() & dice.of([0xff, 0xffff_ffff])) >>> 0,
      addressHigh,
      dice.of(entryWords),
      0,
    ];
  }
}

export function configWrite(offset: number, size: number, value: number): GuestRequest {
  return [configType, 0, size, 1, offset, slot, value, 0];
}

/** A broken or hostile device: a few bytes of its capabilities are others. */
function spoil(dice: Dice): Life['patch'] {
  return Array.from({ length: 1 + dice.below(6) }, () => {
    const offset = dice.below(8) === 0 ? 0x34 : 0x40 + dice.below(0xc0);
    return [
      offset,
      dice.below(2) === 0 ? dice.of([0, 1, 3, 5, 0x10, 0x11, 0x13, 0x40, 0xff]) : dice.below(256),
    ] as const;
  });
}

function heads(config: Uint8Array): number[] {
  const found: number[] = [];
  let at = (config[0x34] ?? 0) & 0xfc;
  while (at >= 0x40 && !found.includes(at)) {
    found.push(at);
    at = (config[at + 1] ?? 0) & 0xfc;
  }
  return found;
}
