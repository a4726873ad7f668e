import type { RegisterFile } from '@xenpt/core-wasm';
import type { ConfigAccess, GuestView } from '@xenpt/pci';
import type { Effect } from './effects.js';
import { anyPirq, decodeMessage, messageOfVector, type Message } from './message.js';

export type MsiGeometry = NonNullable<GuestView['msi']>;

/** Message control of MSI, PCI Local Bus Specification 3.0, 6.8.1.3. */
const enableBit = 0x0001;
const multipleMessageEnable = 0x0070;
const multipleMessageShift = 4;

/** What of MSI outlives the process. */
export interface MsiSaved {
  readonly active: boolean;
  readonly torn: boolean;
  readonly vectorCount: number;
  readonly pirq: number;
  readonly given: readonly [low: number, high: number, data: number];
  readonly tried: number;
  readonly bound: number;
}

/**
 * MSI with up to 32 vectors. Enable is turned on in hardware only after Xen took the messages; the guest's address and
 * data go nowhere else than into the bind calls, its mask bits nowhere at all: a masked vector is one that is not
 * bound, and Xen masks in the device what is not bound.
 *
 *   off --guest enables--> map, bind unmasked vectors, hardware on --message changes--> bind again
 *       --guest disables--> hardware off, unbind, unmap         --vector masked, unmasked--> unbind it, bind it
 */
export class MsiState {
  readonly #geometry: MsiGeometry;
  readonly #config: Pick<ConfigAccess, 'read'>;
  #active = false;
  #torn = false;
  #vectorCount = 0;
  #pirq = anyPirq;
  /** Words of the message that Xen was last given. */
  #given: readonly [low: number, high: number, data: number] = [0, 0, 0];
  /** Vectors given to Xen with that message, so that a failing one is tried once, not at every access. */
  #tried = 0;
  #bound = 0;

  constructor(geometry: MsiGeometry, config: Pick<ConfigAccess, 'read'>) {
    this.#geometry = geometry;
    this.#config = config;
  }

  get saved(): MsiSaved {
    const [active, torn, vectorCount, pirq] = [this.#active, this.#torn, this.#vectorCount, this.#pirq];
    return { active, torn, vectorCount, pirq, given: this.#given, tried: this.#tried, bound: this.#bound };
  }

  restore({ active, torn, vectorCount, pirq, given, tried, bound }: MsiSaved): void {
    [this.#active, this.#torn, this.#vectorCount, this.#pirq] = [active, torn, vectorCount, pirq];
    [this.#given, this.#tried, this.#bound] = [given, tried, bound];
  }

  get active(): boolean {
    return this.#active;
  }

  /** Vectors that the guest has enabled; 0 when it has not. */
  get vectorCount(): number {
    return this.#vectorCount;
  }

  /** The address was changed while enabled, and the rest of the message may be on its way. */
  get isTorn(): boolean {
    return this.#torn;
  }

  isBound(vector: number): boolean {
    return ((this.#bound >>> vector) & 1) !== 0;
  }

  isMaskedIn(file: RegisterFile, vector: number): boolean {
    return ((this.#maskIn(file) >>> vector) & 1) !== 0;
  }

  isEnabledIn(file: RegisterFile): boolean {
    return (wordAt(file, this.#geometry.controlOffset) & enableBit) !== 0;
  }

  /** Whether a write to this word of configuration space is half of an update that the data completes. */
  isAddressWord(word: number): boolean {
    const { addressOffset, addressHighOffset } = this.#geometry;
    return word === addressOffset >>> 2 || (addressHighOffset !== undefined && word === addressHighOffset >>> 2);
  }

  /** The address was written: what came of it is taken over with the data, or with the next access to anything else. */
  defer(): void {
    this.#torn = true;
  }

  disable(effects: Effect[]): void {
    if (!this.#active) return;
    this.abandon();
    effects.push(this.#control(0), { type: 'unbindMessages', kind: 'msi', unmap: true });
  }

  /** Enables, or takes over what was changed while enabled: message, masks, number of vectors. */
  follow(file: RegisterFile, effects: Effect[]): void {
    this.#torn = false;
    const words = this.#wordsIn(file);
    const message = decodeMessage(...words);
    const vectorCount = this.#vectorsAsked(file, message);
    const isOtherPirq = message.requestedPirq !== anyPirq && message.requestedPirq !== this.#pirq;
    if (vectorCount !== this.#vectorCount || isOtherPirq) this.disable(effects);
    const isNewMessage = !this.#active || words.some((word, index) => word !== this.#given[index]);
    // What was not taken in whole is started anew with another message.
    const starts = !this.#active || (isNewMessage && this.#bound !== lowBits(vectorCount));
    if (isNewMessage) this.#tried = 0;
    if (!this.#active) this.#pirq = message.requestedPirq;
    this.#given = words;
    this.#active = true;
    this.#vectorCount = vectorCount;
    if (starts) effects.push({ type: 'mapMessages', vectorCount, requestedPirq: message.requestedPirq });
    this.#followVectors(this.#maskIn(file), message, effects);
    if (starts) effects.push(this.#control(vectorCount));
  }

  settle(vector: number, bound: boolean): void {
    if (bound && this.#active) this.#bound |= 1 << vector;
  }

  abandon(): void {
    this.#active = false;
    this.#torn = false;
    this.#vectorCount = 0;
    this.#pirq = anyPirq;
    this.#tried = 0;
    this.#bound = 0;
  }

  #followVectors(mask: number, message: Message, effects: Effect[]): void {
    for (let vector = 0; vector < this.#vectorCount; vector += 1) {
      const bit = 1 << vector;
      if ((mask & bit) !== 0) {
        if ((this.#bound & bit) !== 0) effects.push({ type: 'unbindMessage', kind: 'msi', entry: vector });
        this.#bound &= ~bit;
        this.#tried &= ~bit;
      } else if ((this.#tried & bit) === 0) {
        this.#tried |= bit;
        effects.push({
          type: 'bindMessage',
          kind: 'msi',
          entry: vector,
          message: messageOfVector(message, vector, this.#vectorCount),
          tableAddress: 0n,
          tableBase: 0n,
        });
      }
    }
  }

  /** A guest that names a pirq takes one event: there are no low bits of a vector to tell others apart. */
  #vectorsAsked(file: RegisterFile, { requestedPirq }: Message): number {
    const { controlOffset, vectorCount } = this.#geometry;
    if (requestedPirq !== anyPirq) return 1;
    const asked = (wordAt(file, controlOffset) & multipleMessageEnable) >>> multipleMessageShift;
    return Math.min(1 << asked, vectorCount);
  }

  #wordsIn(file: RegisterFile): readonly [low: number, high: number, data: number] {
    const { addressOffset, addressHighOffset, dataOffset } = this.#geometry;
    const high = addressHighOffset === undefined ? 0 : file.shadow(addressHighOffset >>> 2);
    return [file.shadow(addressOffset >>> 2), high, wordAt(file, dataOffset)];
  }

  #maskIn(file: RegisterFile): number {
    const { maskOffset } = this.#geometry;
    return maskOffset === undefined ? 0 : file.shadow(maskOffset >>> 2);
  }

  /** Multiple message enable is what Xen was asked for, whatever the guest believes. */
  #control(vectorCount: number): Effect {
    const { controlOffset: offset, maskOffset } = this.#geometry;
    const others = this.#config.read(offset, 2) & ~(enableBit | multipleMessageEnable) & 0xffff;
    const bits = vectorCount === 0 ? 0 : enableBit | (Math.log2(vectorCount) << multipleMessageShift);
    return {
      type: 'writeMessageControl',
      kind: 'msi',
      offset,
      value: others | bits,
      enables: vectorCount > 0,
      // Xen masks in the device what it has mapped and not bound; without mask bits it cannot.
      requires: maskOffset === undefined ? 'bound' : 'mapped',
    };
  }
}

/** The 16 bits of the shadow at an even offset. */
export function wordAt(file: RegisterFile, offset: number): number {
  return (file.shadow(offset >>> 2) >>> ((offset & 2) * 8)) & 0xffff;
}

/** As a signed number, as the bitwise operators give it. */
function lowBits(count: number): number {
  return count === 0 ? 0 : (0xffff_ffff >>> (32 - count)) | 0;
}
