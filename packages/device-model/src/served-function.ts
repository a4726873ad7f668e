import type { DeniedByte, GuestView } from '@xenpt/pci';
import type { PlacementRefusal } from './placement.js';
import { allOnes, configSpaceBytes, type GuestFunction } from './guest-function.js';
import type { HostDevice } from './host-device.js';
import type { ClaimPurpose } from './ledger.js';
import { quiesce, releaseAll, type ReleaseParts } from './release.js';

export interface ServedFunctionParts extends ReleaseParts {
  readonly view: GuestView;
  readonly device: HostDevice;
  readonly guest: GuestFunction;
  readonly guestDevfn: number;
}

export interface BarReport {
  readonly index: number;
  readonly kind: 'memory' | 'io' | 'rom';
  /** Where the guest has placed it, or null. */
  readonly guestAddress: bigint | null;
  /** Whether the guest reaches it there. */
  readonly mapped: boolean;
  readonly refusal: PlacementRefusal | null;
  /** How often it was placed since attach. */
  readonly rounds: number;
}

export interface VectorReport {
  readonly index: number;
  readonly bound: boolean;
  readonly pirq: number | null;
  readonly masked: boolean;
}

/** The guest's configuration space beside the host's. */
export interface FunctionReport {
  /** 256 bytes. */
  readonly guest: Uint8Array;
  /** 256 bytes, as hardware answers now. */
  readonly host: Uint8Array;
  readonly bars: readonly BarReport[];
  readonly vectors: readonly VectorReport[];
  /** What the guest wrote in vain since attach, by offset. */
  readonly denied: readonly DeniedByte[];
}

/** A function while a guest has it: the engine and the one that carries out what it asks for. */
export class ServedFunction {
  readonly guestDevfn: number;
  readonly parts: ServedFunctionParts;
  readonly #guest: GuestFunction;
  /**
   * Set when release begins: from then on the guest meets an empty slot, also when parts of the release must be
   * retried.
   */
  #leaving = false;

  constructor(parts: ServedFunctionParts) {
    this.parts = parts;
    this.guestDevfn = parts.guestDevfn;
    this.#guest = parts.guest;
  }

  readConfig(offset: number, width: number): number {
    return this.#leaving ? allOnes(width) : this.#guest.readConfig(offset, width);
  }

  writeConfig(offset: number, width: number, value: number): void {
    if (this.#leaving) return;
    const effects = this.#guest.writeConfig(offset, width, value);
    if (effects.length > 0) this.parts.performer.perform(effects, this.#guest);
  }

  tableOffsetOf(address: number): number {
    return this.#guest.tableOffsetOf(address);
  }

  readTable(trappedOffset: number, size: number): number {
    return this.#guest.readTable(trappedOffset, size);
  }

  get high(): number {
    return this.#guest.high;
  }

  writeTable(trappedOffset: number, size: number, low: number, high: number): void {
    const effects = this.#guest.writeTable(trappedOffset, size, low, high);
    if (effects.length > 0) this.parts.performer.perform(effects, this.#guest);
  }

  report(): FunctionReport {
    const { device, ledger } = this.parts;
    const guest = this.#guest;
    return {
      guest: readAll((offset) => guest.readConfig(offset, 4)),
      host: readAll((offset) => device.config.read(offset, 4)),
      bars: guest.bars.map(({ bar, placed, refusal, rounds, holdsTable }) => {
        // A BAR that is all table has nothing mapped and is served all the same.
        const served = (purpose: ClaimPurpose) => ledger.claims.some((claim) => claim.purpose === purpose);
        const isServed = (holdsTable && served('table')) || (bar.kind === 'rom' && served('rom'));
        const mapped = placed !== null && (ledger.bars.has(bar.index) || isServed);
        return { index: bar.index, kind: bar.kind, guestAddress: placed, mapped, refusal, rounds };
      }),
      vectors: this.#vectors(),
      denied: guest.denied.list(),
    };
  }

  /** @throws DeviceModelError DEVICE_MODEL_RELEASE_INCOMPLETE; may be called again */
  release(): void {
    this.#leaving = true;
    this.#guest.abandon();
    releaseAll(this.parts);
  }

  /** Leaves the hardware quiet and touches no hypervisor. */
  abandon(): void {
    this.#leaving = true;
    this.#guest.abandon();
    quiesce(this.parts);
  }

  #vectors(): VectorReport[] {
    const { msix } = this.#guest;
    if (msix !== null) {
      return Array.from({ length: msix.table.entryCount }, (_, index) => {
        const held = this.parts.ledger.message('msi-x', index);
        return { index, bound: msix.isBound(index), pirq: held?.pirq ?? null, masked: msix.table.isMasked(index) };
      });
    }
    const { msi } = this.#guest;
    if (msi === null) return [];
    const pirq = this.parts.ledger.message('msi', 0)?.pirq ?? null;
    return [{ index: 0, bound: msi.bound, pirq, masked: false }];
  }
}

function readAll(readDword: (offset: number) => number): Uint8Array {
  const view = new DataView(new ArrayBuffer(configSpaceBytes));
  for (let offset = 0; offset < configSpaceBytes; offset += 4) view.setUint32(offset, readDword(offset), true);
  return new Uint8Array(view.buffer);
}
