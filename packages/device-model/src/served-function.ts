import type { DeniedByte, GuestView, ViewWord } from '@xenpt/pci';
import type { PlacementRefusal } from './placement.js';
import { allOnes, configSpaceBytes, type GuestFunction } from './guest-function.js';
import type { BarWindow } from './bar-window.js';
import type { Effect } from './effects.js';
import type { BarAccess, HostDevice } from './host-device.js';
import type { ClaimPurpose } from './ledger.js';
import type { OpenedReport } from './opened.js';
import type { AttachRequest } from './guest-model.js';
import { quiesce, releaseAll, withdraw, type ReleaseParts } from './release.js';
import type { FunctionSaved, FunctionStage } from './state.js';
import { KeptPages } from './table-pages.js';

export interface ServedFunctionParts extends ReleaseParts {
  readonly view: GuestView;
  readonly device: HostDevice;
  readonly guest: GuestFunction;
  readonly guestDevfn: number;
  /** Memory BARs whose accesses we can make in the guest's place, by index. */
  readonly barAccess: ReadonlyMap<number, BarAccess>;
  readonly opened: OpenedReport;
  /** Offered by the view; whoever goes on offers the same. */
  readonly msiVectorLimit: number;
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
  /** The rules that it is served by. */
  readonly words: readonly ViewWord[];
  readonly hidden: GuestView['hidden'];
  readonly opened: OpenedReport;
}

/** A function while a guest has it: the engine and the one that carries out what it asks for. */
export class ServedFunction {
  readonly guestDevfn: number;
  readonly parts: ServedFunctionParts;
  /** Upper half of the last `readMemory`. */
  high = 0;
  readonly #guest: GuestFunction;
  readonly #kept: KeptPages;
  /** Where the next access to memory is made. */
  #window: BarWindow | null = null;
  #offset = 0;
  /**
   * Set when the guest has ejected it or release begins: from then on the guest meets an empty slot, also when parts
   * of the release must be retried.
   */
  #leaving = false;
  #stage: FunctionStage = 'attaching';

  constructor(parts: ServedFunctionParts) {
    this.parts = parts;
    this.guestDevfn = parts.guestDevfn;
    this.#guest = parts.guest;
    this.#kept = new KeptPages(parts.view);
  }

  get stage(): FunctionStage {
    return this.#stage;
  }

  /** From now on the guest has it. */
  serve(): void {
    this.#stage = 'serving';
  }

  save(request: AttachRequest): FunctionSaved {
    const { device, guest, ledger, msiVectorLimit, performer } = this.parts;
    return {
      request,
      stage: this.#stage,
      image: device.image,
      msiVectorLimit,
      guest: guest.saved,
      ledger: ledger.saved,
      pending: performer.pending,
    };
  }

  /** Where a former process was with it; to be saved before `resume` as well. */
  restore(stage: FunctionStage): void {
    this.#stage = stage;
  }

  /**
   * Goes on where a former process was killed.
   *
   * @returns whether it is to be kept
   */
  resume(): boolean {
    if (this.#stage === 'serving') {
      this.#perform(this.parts.performer.pending);
      return true;
    }
    this.#leaving = true;
    this.#guest.abandon();
    if (this.#stage === 'concealed') {
      withdraw(this.parts);
      return true;
    }
    releaseAll(this.parts);
    return false;
  }

  readConfig(offset: number, width: number): number {
    if (this.#leaving) return allOnes(width);
    if (this.#guest.isBehind) this.#perform(this.#guest.catchUp());
    return this.#guest.readConfig(offset, width);
  }

  writeConfig(offset: number, width: number, value: number): void {
    if (this.#leaving) return;
    this.#perform(this.#guest.writeConfig(offset, width, value));
  }

  /** Whether a guest address is one of its BARs'; then that is where its next access to memory is made. */
  aim(addressLow: number, addressHigh: number): boolean {
    const window = this.#guest.windowAt(addressLow, addressHigh);
    this.#window = window;
    if (window === null) return false;
    this.#offset = window.offsetOf(addressLow, addressHigh);
    return true;
  }

  readMemory(size: number): number {
    const window = this.#window;
    const offset = this.#offset;
    if (window === null) return this.#ones();
    const source = window.isTrapped(offset) ? null : this.parts.barAccess.get(window.bar.index);
    if (source) {
      if (crossesPage(offset, size)) return this.#ones();
      const low = source.read(offset, size);
      this.high = source.high;
      this.#touch(window);
      return low;
    }
    const guest = this.#guest;
    const low = source === null ? guest.readTable(offset, size) : guest.readRom(offset, size);
    this.high = guest.high;
    return low;
  }

  writeMemory(size: number, low: number, high: number): void {
    const window = this.#window;
    const offset = this.#offset;
    if (window === null) return;
    if (window.isTrapped(offset)) return this.#writeTablePage(offset, size, low, high);
    const target = this.parts.barAccess.get(window.bar.index);
    // An expansion ROM from a file is all that has none, and nothing of it can be written.
    if (target === undefined || crossesPage(offset, size)) return;
    if (!this.#kept.has(window.bar.index, offset)) target.write(offset, size, low, high);
    this.#touch(window);
  }

  #writeTablePage(offset: number, size: number, low: number, high: number): void {
    if (this.#guest.tablePages?.isTable(offset) !== true) return;
    this.#perform(this.#guest.writeTable(offset, size, low, high));
  }

  /** The access is made by then: once the guest reaches the BAR directly, what it does next must come after it. */
  #touch(window: BarWindow): void {
    if (!this.parts.ledger.bars.has(window.bar.index)) this.#perform(window.touch());
  }

  #perform(effects: readonly Effect[]): void {
    if (effects.length > 0) this.parts.performer.perform(effects, this.#guest);
  }

  #ones(): number {
    this.high = 0xffff_ffff;
    return 0xffff_ffff;
  }

  report(): FunctionReport {
    const { device, ledger } = this.parts;
    const guest = this.#guest;
    return {
      guest: readAll((offset) => guest.readConfig(offset, 4)),
      host: readAll((offset) => device.config.read(offset, 4)),
      bars: guest.bars.map(({ bar, placed, refusal, rounds, holdsTable }) => {
        // What is served access by access is reached all the same: a BAR that is all table, one not touched yet.
        const served = (purpose: ClaimPurpose) => ledger.claims.some((claim) => claim.purpose === purpose);
        const isServed =
          served(`bar ${bar.index}`) || (holdsTable && served('table')) || (bar.kind === 'rom' && served('rom'));
        const mapped = placed !== null && (ledger.bars.has(bar.index) || isServed);
        return { index: bar.index, kind: bar.kind, guestAddress: placed, mapped, refusal, rounds };
      }),
      vectors: this.#vectors(),
      denied: guest.denied.list(),
      words: this.parts.view.words,
      hidden: this.parts.view.hidden,
      opened: this.parts.opened,
    };
  }

  /**
   * The guest has ejected it: from now on its slot is empty, and nothing of the function reaches the guest any more.
   *
   * @returns what went wrong; `release` tries that again
   */
  conceal(): readonly unknown[] {
    if (this.#leaving) return [];
    this.#leaving = true;
    this.#stage = 'concealed';
    this.#guest.abandon();
    return withdraw(this.parts);
  }

  /** @throws DeviceModelError DEVICE_MODEL_RELEASE_INCOMPLETE; may be called again */
  release(): void {
    this.#leaving = true;
    this.#stage = 'releasing';
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
    return Array.from({ length: Math.max(1, msi.vectorCount) }, (_, index) => {
      const pirq = this.parts.ledger.message('msi', index)?.pirq ?? null;
      return { index, bound: msi.isBound(index), pirq, masked: this.#guest.isMsiMasked(index) };
    });
  }
}

/** Xen splits accesses at pages; one that is whole could reach from registers into the table. */
function crossesPage(offset: number, size: number): boolean {
  return (offset % 4096) + size > 4096;
}

function readAll(readDword: (offset: number) => number): Uint8Array {
  const view = new DataView(new ArrayBuffer(configSpaceBytes));
  for (let offset = 0; offset < configSpaceBytes; offset += 4) view.setUint32(offset, readDword(offset), true);
  return new Uint8Array(view.buffer);
}
