import type { RegisterFile } from '@xenpt/core-wasm';
import type { ConfigAccess, GuestView } from '@xenpt/pci';
import type { Effect } from './effects.js';
import { decodeMessage } from './message.js';

export type MsiGeometry = NonNullable<GuestView['msi']>;

/** Message control of MSI, PCI Local Bus Specification 3.0, 6.8.1.3. */
const enableBit = 0x0001;
const multipleMessageEnable = 0x0070;

const noMessage: readonly [number, number, number] = [-1, -1, -1];

/**
 * MSI with one vector. Enable is turned on in hardware only after Xen took the message; the guest's address and data
 * go nowhere else than into the bind call.
 *
 *   off --guest enables--> bind, hardware on --message changes--> bind again
 *       --guest disables--> hardware off, unbind, unmap
 */
export class MsiState {
  readonly #geometry: MsiGeometry;
  readonly #config: Pick<ConfigAccess, 'read'>;
  #active = false;
  #bound = false;
  /** Words of the last message given to Xen, so that a failing one is tried once, not at every access. */
  #given = noMessage;

  constructor(geometry: MsiGeometry, config: Pick<ConfigAccess, 'read'>) {
    this.#geometry = geometry;
    this.#config = config;
  }

  get active(): boolean {
    return this.#active;
  }

  get bound(): boolean {
    return this.#bound;
  }

  isEnabledIn(file: RegisterFile): boolean {
    return (wordAt(file, this.#geometry.controlOffset) & enableBit) !== 0;
  }

  disable(effects: Effect[]): void {
    if (!this.#active) return;
    this.#active = false;
    this.#bound = false;
    this.#given = noMessage;
    effects.push(this.#control(false), { type: 'unbindMessages', kind: 'msi', unmap: true });
  }

  /** Enables, or takes over a message that was changed while enabled. */
  enable(file: RegisterFile, effects: Effect[]): void {
    const { addressOffset, addressHighOffset, dataOffset } = this.#geometry;
    const low = file.shadow(addressOffset >>> 2);
    const high = addressHighOffset === undefined ? 0 : file.shadow(addressHighOffset >>> 2);
    const data = wordAt(file, dataOffset);
    const [givenLow, givenHigh, givenData] = this.#given;
    if (this.#active && low === givenLow && high === givenHigh && data === givenData) return;
    this.#given = [low, high, data];
    this.#active = true;
    const message = decodeMessage(low, high, data);
    effects.push({ type: 'bindMessage', kind: 'msi', entry: 0, message, tableAddress: 0n, tableBase: 0n });
    if (!this.#bound) effects.push(this.#control(true));
  }

  settle(bound: boolean): void {
    if (bound) this.#bound = true;
  }

  abandon(): void {
    this.#active = false;
    this.#bound = false;
    this.#given = noMessage;
  }

  /** Multiple message enable is written 0: one vector, whatever the guest believes. */
  #control(on: boolean): Effect {
    const offset = this.#geometry.controlOffset;
    const others = this.#config.read(offset, 2) & ~(enableBit | multipleMessageEnable) & 0xffff;
    return { type: 'writeMessageControl', kind: 'msi', offset, value: others | (on ? enableBit : 0), enables: on };
  }
}

/** The 16 bits of the shadow at an even offset. */
export function wordAt(file: RegisterFile, offset: number): number {
  return (file.shadow(offset >>> 2) >>> ((offset & 2) * 8)) & 0xffff;
}
