import { allOnes, type AccessWidth, type ViewWord } from '@xenpt/pci';
import { configType, descendingFlag, memoryType, pointerFlag, readFlag, type GuestRequest } from './guest-request.js';
import { slot, type Rig } from './rig.js';

const ones = 0xffff_ffff;

/**
 * Whose bytes answers are made of: the device's, the guest's own, or ones. Configuration is judged bit by bit, what is
 * the device's against the device; memory byte by byte, against what the fake device's registers hold, what the guest
 * wrote there, and what an entry of a table starts as.
 */
export class Answers {
  readonly #rig: Rig;
  /** Per word: bits that are not the device's. */
  readonly #virtual: Uint32Array;
  /** Bytes that the guest may find in memory, by value. */
  readonly #own = new Uint8Array(256);
  readonly #barIndices: readonly number[];
  #request: GuestRequest = [0, 0, 0, 0, 0, 0, 0, 0];
  #hardware = 0;
  /** Of the last element, whose value the answer is. */
  #address = 0n;
  #isClaimed = false;
  /** Xen refused a claim, and the device answers where nobody would ask it. */
  anywhere = false;

  constructor(rig: Rig, words: readonly ViewWord[]) {
    this.#rig = rig;
    this.#virtual = new Uint32Array(words.length);
    for (const { index, rule } of words) this.#virtual[index] = rule.virtual;
    // An entry starts as 0, masked; its mask bit stands alone in its byte.
    for (const byte of [0x00, 0x01, 0xff]) this.#own[byte] = 1;
    this.#barIndices = rig.device.image.resources.map(({ index }) => index);
  }

  /** A request is about to be handled: what the device says now is what it may answer. */
  asked(request: GuestRequest): void {
    this.#request = request;
    const [type, flags, size, count, addressLow, addressHigh, dataLow, dataHigh] = request;
    if (type === configType && (flags & readFlag) !== 0 && isWhole(size, addressLow)) {
      this.#hardware = this.#rig.device.read(addressLow, size as AccessWidth);
    }
    if (type !== memoryType) return;
    const step = (flags & descendingFlag) !== 0 ? -size : size;
    this.#address =
      ((BigInt(addressHigh) << 32n) | BigInt(addressLow)) + BigInt(step) * BigInt(Math.max(count, 1) - 1);
    this.#isClaimed = this.anywhere || this.#rig.hypervisor.isClaimed(this.#address);
    if ((flags & readFlag) !== 0) return;
    if ((flags & pointerFlag) !== 0) return void this.#own.fill(1);
    for (const data of [dataLow, dataHigh]) {
      for (let lane = 0; lane < 4; lane += 1) this.#own[(data >>> (8 * lane)) & 0xff] = 1;
    }
  }

  /** What of the answer is nobody's, in words; null when nothing is. */
  judge(low: number, high: number): string | null {
    const [type, flags, size] = this.#request;
    if ((flags & readFlag) === 0 || (flags & pointerFlag) !== 0) return null;
    const isSound = this.#isWidth(low, high) && this.#isOurs(type, size, low, high);
    if (isSound) return null;
    return `the answer to ${JSON.stringify(this.#request)} is ${high.toString(16)}:${low.toString(16)}`;
  }

  #isWidth(low: number, high: number): boolean {
    const size = this.#request[2];
    if (size === 1 || size === 2) return high === 0 && low >>> (8 * size) === 0;
    if (size === 4) return high === 0 && low >>> 0 === low;
    return low >>> 0 === low && high >>> 0 === high;
  }

  #isOurs(type: number, size: number, low: number, high: number): boolean {
    const [, , , , addressLow, addressHigh] = this.#request;
    const isNarrow = size === 1 || size === 2 || size === 4;
    const isOnes = low === (isNarrow ? allOnes(size) : ones) && high === (isNarrow ? 0 : ones);
    if (isOnes || (!isNarrow && size !== 8)) return isOnes;
    if (type === configType) {
      if (addressHigh !== slot || !isWhole(size, addressLow)) return false;
      const theirs = ~((this.#virtual[addressLow >>> 2] ?? 0) >>> ((addressLow & 3) * 8));
      return ((low ^ this.#hardware) & theirs & allOnes(size as AccessWidth)) === 0;
    }
    if (type !== memoryType || !this.#isClaimed) return false;
    for (let lane = 0; lane < size; lane += 1) {
      const byte = ((lane < 4 ? low : high) >>> (8 * (lane % 4))) & 0xff;
      if (this.#own[byte] === 0 && !this.#isPattern(Number(this.#address & 0xfffn) + lane, byte)) return false;
    }
    return true;
  }

  /** What a register of the fake device holds that nobody wrote: BARs stand on pages, so a byte's place is known. */
  #isPattern(address: number, byte: number): boolean {
    return this.#barIndices.some((index) => ((address * 31 + index) & 0xff) === byte);
  }
}

/** Of configuration space, an access that a bus carries. */
function isWhole(size: number, offset: number): boolean {
  return (size === 1 || size === 2 || size === 4) && offset % size === 0 && offset + size <= 256;
}
