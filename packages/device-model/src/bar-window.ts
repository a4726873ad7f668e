import type { RegisterFile } from '@xenpt/core-wasm';
import type { GuestBar } from '@xenpt/pci';
import { noEffects, type BarPiece, type Effect } from './effects.js';
import { pageSizeBytes, type AddressSpace, type PlacementRefusal } from './placement.js';

/** Low bits of a register that are no address, PCI Local Bus Specification 3.0, 6.2.5. */
const flagBits = { io: 0x3, memory: 0xf, rom: 0x7ff } as const;
const romEnableBit = 1;

/** Bytes of a BAR, counted from its start. */
export interface BarSpan {
  readonly offset: bigint;
  readonly sizeBytes: bigint;
}

/** The whole pages of a BAR that hold any of these bytes, the MSI-X table; nothing of them is ever mapped. */
export function pagesOf(offset: number, sizeBytes: number): BarSpan {
  const start = floorToPage(BigInt(offset));
  const end = ceilToPage(BigInt(offset) + BigInt(sizeBytes));
  return { offset: start, sizeBytes: end - start };
}

export interface BarWindowOptions {
  readonly trapped?: BarSpan | null;
  /** An expansion ROM that comes from a file. */
  readonly isRomServed?: boolean;
  /** Claimed when placed, mapped when touched: for a memory BAR whose accesses we can make ourselves. */
  readonly mapsOnTouch?: boolean;
}

/** What of a BAR outlives the process. */
export interface BarWindowState {
  readonly requested: bigint | null;
  readonly placed: bigint | null;
  readonly refusal: PlacementRefusal | null;
  readonly rounds: number;
  readonly touches: number;
}

/**
 * One BAR as the guest places it: from the address it holds and the decode bit to what is mapped.
 *
 *   host   hostStart            +trapped.offset    +trapped.size           +size
 *          |-------- mapped --------|---- trapped ----|------ mapped --------|
 *   guest  address
 *
 * Firmware and drivers turn decode on and off many times without an access in between, and mapping a large BAR takes
 * Xen long. So where we can make an access in the guest's place, a BAR is claimed first and mapped when it is touched:
 *
 *   away --placed--> claimed --access: made by us, then mapped--> mapped (still claimed) --left--> unmapped, released
 *
 * It stays claimed while it is mapped: another processor's access may be on its way to us already.
 */
export class BarWindow {
  readonly bar: GuestBar;
  readonly #trapped: BarSpan | null;
  /** An expansion ROM that comes from a file; any other is not served. */
  readonly #isRomServed: boolean;
  readonly #mapsOnTouch: boolean;
  /** The part of it that comes to us: from where in the BAR, and how much. Numbers: addresses have at most 52 bits. */
  readonly #servedOffset: number;
  readonly #servedBytes: number;
  readonly #trappedOffset: number;
  readonly #trappedBytes: number;
  /** Guest address of the part that comes to us, in halves, and how much of it is there: nothing when it is nowhere. */
  #startLow = 0;
  #startHigh = 0;
  #placedBytes = 0;
  /** Accesses since it was placed that met it unmapped. */
  #touches = 0;
  /** What decode bit and register ask for: an address, or null for none. */
  #requested: bigint | null = null;
  #placed: bigint | null = null;
  #refusal: PlacementRefusal | null = null;
  #rounds = 0;

  constructor(bar: GuestBar, options: BarWindowOptions = {}) {
    const { trapped = null, isRomServed = false, mapsOnTouch = false } = options;
    this.bar = bar;
    this.#trapped = trapped;
    this.#isRomServed = isRomServed;
    this.#mapsOnTouch = mapsOnTouch && bar.kind === 'memory';
    const whole = { offset: 0n, sizeBytes: isRomServed ? bar.sizeBytes : this.#footprintBytes };
    const nothing = { offset: 0n, sizeBytes: 0n };
    const served = isRomServed || this.#mapsOnTouch ? whole : (trapped ?? nothing);
    this.#servedOffset = Number(served.offset);
    this.#servedBytes = Number(served.sizeBytes);
    this.#trappedOffset = Number((trapped ?? nothing).offset);
    this.#trappedBytes = Number((trapped ?? nothing).sizeBytes);
  }

  /** The guest address at which the BAR stands, or null. */
  get placed(): bigint | null {
    return this.#placed;
  }

  get refusal(): PlacementRefusal | null {
    return this.#refusal;
  }

  get holdsTable(): boolean {
    return this.#trapped !== null;
  }

  get state(): BarWindowState {
    const [requested, placed, refusal] = [this.#requested, this.#placed, this.#refusal];
    return { requested, placed, refusal, rounds: this.#rounds, touches: this.#touches };
  }

  /** Once, before anything else. */
  restore({ requested, placed, refusal, rounds, touches }: BarWindowState, space: AddressSpace): void {
    if (placed !== null) space.place(this.#kind, this, placed, this.#footprintBytes);
    this.#setPlaced(placed);
    this.#requested = requested;
    this.#refusal = refusal;
    this.#rounds = rounds;
    this.#touches = touches;
  }

  /** How often it was placed. */
  get rounds(): number {
    return this.#rounds;
  }

  /**
   * Offset in the BAR of a guest address whose accesses come to us, or -1.
   *
   * @param addressLow 32 bits, either sign
   */
  offsetOf(addressLow: number, addressHigh = 0): number {
    const offset = (addressHigh - this.#startHigh) * 2 ** 32 + ((addressLow >>> 0) - this.#startLow);
    return offset >= 0 && offset < this.#placedBytes ? this.#servedOffset + offset : -1;
  }

  /** Whether the offset is in the pages of the MSI-X table. */
  isTrapped(offset: number): boolean {
    return offset >= this.#trappedOffset && offset < this.#trappedOffset + this.#trappedBytes;
  }

  /** An access has met it unmapped. After a refusal Xen is asked at the 2nd, 4th, 8th … access, not at each. */
  touch(): readonly Effect[] {
    if (this.#placed === null) return noEffects;
    this.#touches += 1;
    const isDue = Number.isInteger(Math.log2(this.#touches));
    return isDue ? [{ type: 'mapBar', bar: this.bar.index, pieces: this.#pieces(this.#placed) }] : noEffects;
  }

  /** Reads decode bit and register; says whether they now ask for something else. */
  update(file: RegisterFile, command: number): boolean {
    const decoded = (command & (this.bar.kind === 'io' ? 1 : 2)) !== 0;
    const requested = decoded && this.#isEnabledIn(file) ? this.#addressIn(file) : null;
    const changed = requested !== this.#requested;
    this.#requested = requested;
    return changed;
  }

  leave(space: AddressSpace, effects: Effect[]): void {
    if (this.#placed === null) return;
    const bar = this.bar.index;
    if (this.#mapsOnTouch) {
      if (this.#touches > 0) effects.push({ type: 'unmapBar', bar });
      effects.push({ type: 'releaseBar', bar });
    } else {
      if (this.#trapped !== null) effects.push({ type: 'releaseTable' });
      effects.push(this.#isRomServed ? { type: 'releaseRom' } : { type: 'unmapBar', bar });
    }
    space.remove(this);
    this.#setPlaced(null);
  }

  /** Places the BAR where the guest wants it, if it may stand there. */
  enter(space: AddressSpace, effects: Effect[]): void {
    this.#refusal = null;
    const address = this.#requested;
    if (address === null) return;
    this.#refusal = space.place(this.#kind, this, address, this.#footprintBytes);
    if (this.#refusal !== null) return;
    this.#setPlaced(address);
    this.#rounds += 1;
    const end = address + this.#footprintBytes - 1n;
    if (this.#isRomServed) return void effects.push({ type: 'claimRom', start: address, end });
    if (this.#mapsOnTouch) {
      return void effects.push({ type: 'claimBar', bar: this.bar.index, start: address, end });
    }
    const pieces = this.#pieces(address);
    if (pieces.length > 0) effects.push({ type: 'mapBar', bar: this.bar.index, pieces });
    if (this.#trapped !== null) {
      const start = address + this.#trapped.offset;
      effects.push({ type: 'claimTable', start, end: start + this.#trapped.sizeBytes - 1n });
    }
  }

  /** Gives up the place without an effect, when everything of the function is released at once. */
  abandon(space: AddressSpace): void {
    space.remove(this);
    this.#setPlaced(null);
    this.#requested = null;
  }

  #setPlaced(address: bigint | null): void {
    this.#placed = address;
    this.#touches = 0;
    this.#placedBytes = address === null ? 0 : this.#servedBytes;
    const start = Number(address ?? 0n) + this.#servedOffset;
    this.#startLow = start >>> 0;
    this.#startHigh = Math.floor(start / 2 ** 32);
  }

  get #kind(): 'io' | 'memory' {
    return this.bar.kind === 'io' ? 'io' : 'memory';
  }

  /** Memory is mapped by whole pages, so a BAR takes whole pages of the guest's address space. */
  get #footprintBytes(): bigint {
    return this.bar.kind === 'io' ? this.bar.sizeBytes : ceilToPage(this.bar.sizeBytes);
  }

  /** The device's own ROM is not served: its decode stays off, so the guest reads all ones where it places it. */
  #isEnabledIn(file: RegisterFile): boolean {
    if (this.bar.kind !== 'rom') return true;
    return this.#isRomServed && (file.shadow(this.bar.registerOffset >>> 2) & romEnableBit) !== 0;
  }

  #addressIn(file: RegisterFile): bigint {
    const flags = flagBits[this.bar.kind];
    const low = (file.shadow(this.bar.registerOffset >>> 2) & ~flags) >>> 0;
    const upper = this.bar.upperRegisterOffset;
    const high = upper === undefined ? 0 : file.shadow(upper >>> 2);
    return (BigInt(high) << 32n) | BigInt(low);
  }

  #pieces(address: bigint): BarPiece[] {
    const { kind, hostStart, sizeBytes } = this.bar;
    if (kind === 'io') {
      return [{ kind: 'io', guest: Number(address), machine: Number(hostStart), count: Number(sizeBytes) }];
    }
    return mappedSpans(this.#footprintBytes, this.#trapped).map((span) => ({
      kind: 'memory',
      gfn: (address + span.offset) / pageSizeBytes,
      mfn: (hostStart + span.offset) / pageSizeBytes,
      count: span.sizeBytes / pageSizeBytes,
    }));
  }
}

function mappedSpans(sizeBytes: bigint, trapped: BarSpan | null): BarSpan[] {
  if (trapped === null) return [{ offset: 0n, sizeBytes }];
  const after = trapped.offset + trapped.sizeBytes;
  return [
    { offset: 0n, sizeBytes: trapped.offset },
    { offset: after, sizeBytes: sizeBytes - after },
  ].filter((span) => span.sizeBytes > 0n);
}

function floorToPage(value: bigint): bigint {
  return value - (value % pageSizeBytes);
}

function ceilToPage(value: bigint): bigint {
  return floorToPage(value + pageSizeBytes - 1n);
}
