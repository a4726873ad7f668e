import { MessageTable, MessageTableEvent, type Core, type RegisterFile } from '@xenpt/core-wasm';
import type { ConfigAccess, GuestView } from '@xenpt/pci';
import type { Effect } from './effects.js';
import { anyPirq, decodeMessage, type Message } from './message.js';
import { wordAt } from './msi.js';

export type MsiXGeometry = NonNullable<GuestView['msix']>;

/** Message control of MSI-X, PCI Local Bus Specification 3.0, 6.8.2.3. */
const enableBit = 0x8000;
const functionMaskBit = 0x4000;

/** What of MSI-X outlives the process. */
export interface MsiXSaved {
  readonly active: boolean;
  readonly functionMasked: boolean;
  readonly tableAddress: bigint;
  readonly holding: boolean;
  /** One for each entry. */
  readonly bound: Uint8Array;
  readonly changed: Uint8Array;
  /** Four for each entry, as the guest reads them. */
  readonly words: Uint32Array;
}

const wordsPerEntry = 4;

/**
 * The guest's MSI-X table and what of it Xen has been told.
 *
 * An entry is given to Xen when it is unmasked or names a pirq, the function is enabled and not masked as a whole, and
 * either its message was changed since or it was never given. A masked entry is looked at when its data is written, the
 * last of its words; what is written to an unmasked one counts from its next unmasking. Xen writes the hardware table;
 * nobody else does.
 *
 *   off --enable--> bind unmasked entries, hardware on --disable--> hardware off, unbind, unmap
 *                     ^                          |
 *                     '--- table placed again <--+--> table moved or decode off: hardware off, unbind, pirqs kept
 */
export class MsiXState {
  readonly table: MessageTable;
  readonly #geometry: MsiXGeometry;
  readonly #tableBase: bigint;
  readonly #config: Pick<ConfigAccess, 'read'>;
  readonly #bound: Uint8Array;
  #active = false;
  #functionMasked = false;
  #tableAddress = 0n;
  /** Some entry may hold a pirq since the last full release. */
  #holding = false;

  /** @param tableBase host address of the BAR that holds the table */
  constructor(core: Core, geometry: MsiXGeometry, tableBase: bigint, config: Pick<ConfigAccess, 'read'>) {
    this.#geometry = geometry;
    this.#tableBase = tableBase;
    this.#config = config;
    this.table = new MessageTable(core, geometry.vectorCount);
    this.#bound = new Uint8Array(geometry.vectorCount);
  }

  get saved(): MsiXSaved {
    const { table } = this;
    const [active, functionMasked, tableAddress] = [this.#active, this.#functionMasked, this.#tableAddress];
    return {
      active,
      functionMasked,
      tableAddress,
      holding: this.#holding,
      bound: this.#bound,
      changed: Uint8Array.from(this.#bound, (_, entry) => (table.isChanged(entry) ? 1 : 0)),
      words: Uint32Array.from({ length: table.entryCount * wordsPerEntry }, (_, word) => table.read(word * 4, 4)),
    };
  }

  restore({ active, functionMasked, tableAddress, holding, bound, changed, words }: MsiXSaved): void {
    [this.#active, this.#functionMasked, this.#tableAddress] = [active, functionMasked, tableAddress];
    this.#holding = holding;
    this.#bound.set(bound);
    for (const [word, value] of words.entries()) this.table.write(word * 4, 4, value, 0);
    for (const [entry, isChanged] of changed.entries()) this.table.setChanged(entry, isChanged === 1);
  }

  get active(): boolean {
    return this.#active;
  }

  isBound(entry: number): boolean {
    return this.#bound[entry] === 1;
  }

  isEnabledIn(file: RegisterFile): boolean {
    return (wordAt(file, this.#geometry.controlOffset) & enableBit) !== 0;
  }

  /**
   * Hardware off and entries unbound, pirqs kept: the table is about to have another address, or none.
   *
   * @param vectorControl of an entry in hardware, all ones when that cannot be read
   */
  suspend(effects: Effect[], vectorControl: (entry: number) => number): void {
    if (!this.#active) return;
    this.#learnMasks(vectorControl);
    this.#active = false;
    this.#bound.fill(0);
    effects.push(this.#control(0), { type: 'unbindMessages', kind: 'msi-x', unmap: false });
  }

  disable(effects: Effect[]): void {
    if (this.#active) effects.push(this.#control(0));
    if (this.#holding) effects.push({ type: 'unbindMessages', kind: 'msi-x', unmap: true });
    this.abandon();
  }

  /** Enables with the table at `barAddress + tableOffset`, or follows a change of the function mask. */
  enable(file: RegisterFile, barAddress: bigint, effects: Effect[]): void {
    const functionMasked = (wordAt(file, this.#geometry.controlOffset) & functionMaskBit) !== 0;
    if (this.#active && functionMasked === this.#functionMasked) return;
    this.#tableAddress = barAddress + BigInt(this.#geometry.tableOffset);
    this.#functionMasked = functionMasked;
    this.#active = true;
    if (!functionMasked) {
      for (let entry = 0; entry < this.table.entryCount; entry += 1) this.#bindIfDue(entry, effects);
    }
    effects.push(this.#control(enableBit | (functionMasked ? functionMaskBit : 0)));
  }

  /** After a write to the table; `event` as MessageTable.write returned it. */
  react(event: number, effects: Effect[]): void {
    if (!this.#active || this.#functionMasked) return;
    const entry = event >>> 8;
    const unmasked = (event & MessageTableEvent.unmasked) !== 0;
    const completed = (event & MessageTableEvent.dataWritten) !== 0 && this.table.isMasked(entry);
    if (unmasked || completed) this.#bindIfDue(entry, effects);
  }

  /** A failed bind leaves the entry due, so that the guest's next unmask tries again. */
  settle(entry: number, bound: boolean): void {
    if (!bound || !this.#active) return;
    this.#bound[entry] = 1;
    this.table.setChanged(entry, false);
  }

  abandon(): void {
    this.#active = false;
    this.#holding = false;
    this.#bound.fill(0);
  }

  /**
   * Up to 4.18 Xen masks bound entries in hardware without telling (xen/arch/x86/hvm/vmsi.c, msixtbl_write), so what
   * the guest last wrote there is known to hardware alone. Entries that name a pirq are never masked by their guest.
   */
  #learnMasks(vectorControl: (entry: number) => number): void {
    for (let entry = 0; entry < this.table.entryCount; entry += 1) {
      if (this.#bound[entry] !== 1 || this.#messageOf(entry).requestedPirq !== anyPirq) continue;
      const control = vectorControl(entry);
      if (control !== 0xffff_ffff) this.table.write(entry * 16 + 12, 4, control & 1, 0);
    }
  }

  #messageOf(entry: number): Message {
    const { table } = this;
    return decodeMessage(table.addressLow(entry), table.addressHigh(entry), table.data(entry));
  }

  #bindIfDue(entry: number, effects: Effect[]): void {
    const { table } = this;
    if (this.#bound[entry] === 1 && !table.isChanged(entry)) return;
    const message = this.#messageOf(entry);
    // A guest that takes a pirq masks it at its event channel and never writes vector control, which starts out
    // masked: Linux sets pci_msi_ignore_mask then (arch/x86/pci/xen.c).
    if (table.isMasked(entry) && message.requestedPirq === anyPirq) return;
    this.#holding = true;
    effects.push({
      type: 'bindMessage',
      kind: 'msi-x',
      entry,
      message,
      tableAddress: this.#tableAddress,
      tableBase: this.#tableBase,
    });
  }

  #control(bits: number): Effect {
    const offset = this.#geometry.controlOffset;
    const others = this.#config.read(offset, 2) & ~(enableBit | functionMaskBit) & 0xffff;
    return {
      type: 'writeMessageControl',
      kind: 'msi-x',
      offset,
      value: others | bits,
      enables: (bits & enableBit) !== 0,
      requires: 'nothing',
    };
  }
}
