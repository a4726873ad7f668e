import { RegisterFile, type Core } from '@xenpt/core-wasm';
import type { AccessWidth, ConfigAccess, FunctionImage, GuestView, RegisterBits } from '@xenpt/pci';
import { BarWindow, pagesOf, type BarWindowState } from './bar-window.js';
import { Changes } from './changes.js';
import { DeniedWrites } from './denied-writes.js';
import { noEffects, type Effect, type MessageKind } from './effects.js';
import { HardwareWrites, noWrites } from './hardware-writes.js';
import type { BarAccess } from './host-device.js';
import { intxDisableBit, intxDisableEffect } from './intx.js';
import { MsiState, type MsiSaved } from './msi.js';
import { MsiXState, type MsiXSaved } from './msi-x.js';
import { AddressSpace } from './placement.js';
import { ServedRom } from './rom.js';
import { Statistics } from './statistics.js';
import { tableWordPlace, wordPlace } from './saved-words.js';
import { tableBytesOf, TablePages } from './table-pages.js';

/** Configuration space that a guest reaches through ports 0xcf8 and 0xcfc. */
export const configSpaceBytes = 256;

export interface GuestFunctionOptions {
  /** Shared by all functions of a guest, so that their BARs never overlap. */
  readonly addressSpace?: AddressSpace;
  /** Indices of the BARs whose accesses we can make in the guest's place; they are mapped when touched. */
  readonly mapOnTouch?: ReadonlySet<number>;
  /** The BAR with the MSI-X table, for what lies beside the table; missing where we cannot reach it. */
  readonly tableBar?: BarAccess | undefined;
  readonly changes?: Changes;
  /** Whose changed words they are. */
  readonly guestDevfn?: number;
  readonly statistics?: Statistics;
}

/** What of a function outlives the process. */
export interface GuestFunctionSaved {
  /** Word by word. */
  readonly shadow: Uint32Array;
  readonly intxBound: boolean;
  readonly msi: MsiSaved | null;
  readonly msix: MsiXSaved | null;
  readonly bars: readonly BarWindowState[];
}

/**
 * One passed-through function as its guest sees it: a pure engine. It reads hardware through `config.read` and changes
 * nothing but itself; what shall happen outside is returned as effects, in order. Outcomes come back through `settle`.
 */
export class GuestFunction {
  readonly bars: readonly BarWindow[];
  readonly msi: MsiState | null;
  readonly msix: MsiXState | null;
  readonly view: GuestView;
  /** Whether a host line is bound; only then may the guest clear INTx disable in hardware. */
  intxBound = false;
  /** Which bits the guest could not change, for the operator. */
  readonly denied: DeniedWrites;
  readonly #file: RegisterFile;
  readonly #config: Pick<ConfigAccess, 'read'>;
  readonly #space: AddressSpace;
  readonly #tableWindow: BarWindow | null;
  readonly tablePages: TablePages | null;
  readonly #rom: ServedRom | null;
  readonly #changes: Changes;
  readonly #guestDevfn: number;
  readonly #statistics: Statistics;
  /** Per word: the bits that a guest write can change anywhere. */
  readonly #writable = new Uint32Array(configSpaceBytes / 4);
  readonly #hardwareWrites = new HardwareWrites();
  #high = 0;
  /** For what may come to nothing: most accesses to the table ask for no effect. */
  #empty: Effect[] = [];

  /**
   * @param config only `read` is used, as of `options.tableBar`
   * @throws CoreRangeError when the view's rules contradict each other
   */
  constructor(
    core: Core,
    view: GuestView,
    image: FunctionImage,
    config: Pick<ConfigAccess, 'read'>,
    options: GuestFunctionOptions = {},
  ) {
    this.view = view;
    this.#config = config;
    this.#space = options.addressSpace ?? new AddressSpace();
    this.#changes = options.changes ?? new Changes();
    this.#guestDevfn = options.guestDevfn ?? 0;
    this.#statistics = options.statistics ?? new Statistics();
    this.#file = new RegisterFile(core, configSpaceBytes);
    for (const { index, rule } of view.words) {
      this.#file.define(index, rule);
      this.#writable[index] = rule.shadowWrite | rule.hardwareWrite;
    }
    this.denied = new DeniedWrites(view.words);
    const { msi, msix } = view;
    const tableBar = image.resources.find((resource) => resource.index === msix?.tableBarIndex);
    const tableBytes = tableBytesOf(view);
    const trapped = tableBytes === undefined ? null : pagesOf(tableBytes.offset, tableBytes.sizeBytes);
    this.bars = view.bars.map((bar) => {
      return new BarWindow(bar, {
        trapped: bar.index === tableBytes?.barIndex ? trapped : null,
        isRomServed: bar.kind === 'rom' && view.romImage !== undefined,
        mapsOnTouch: options.mapOnTouch?.has(bar.index) === true,
      });
    });
    this.#rom = view.romImage === undefined ? null : new ServedRom(view.romImage);
    this.#tableWindow = this.bars.find(({ bar }) => bar.index === tableBytes?.barIndex) ?? null;
    this.msi = msi === undefined ? null : new MsiState(msi, config);
    this.msix = msix === undefined ? null : new MsiXState(core, msix, tableBar?.start ?? 0n, config);
    const guestTable = msix && this.msix ? { geometry: msix, table: this.msix.table } : undefined;
    this.tablePages =
      tableBytes === undefined || this.#tableWindow === null
        ? null
        : new TablePages(tableBytes, this.#tableWindow.bar, guestTable, options.tableBar);
  }

  get saved(): GuestFunctionSaved {
    const shadow = Uint32Array.from({ length: configSpaceBytes / 4 }, (_, word) => this.#file.shadow(word));
    const { intxBound, msi, msix, bars } = this;
    return {
      shadow,
      intxBound,
      msi: msi?.saved ?? null,
      msix: msix?.saved ?? null,
      bars: bars.map(({ state }) => state),
    };
  }

  /** Of the same view; into one that is new. */
  restore({ shadow, intxBound, msi, msix, bars }: GuestFunctionSaved): void {
    for (const [word, value] of shadow.entries()) this.#file.setShadow(word, value);
    this.intxBound = intxBound;
    if (msi !== null) this.msi?.restore(msi);
    if (msix !== null) this.msix?.restore(msix);
    for (const [index, state] of bars.entries()) this.bars[index]?.restore(state, this.#space);
  }

  /** Low `width` bytes; all ones for an access that configuration space does not know. Never throws. */
  readConfig(offset: number, width: number): number {
    if (!isConfigAccess(offset, width)) return allOnes(width);
    const hardware = this.#file.needsHardwareToRead(offset, width) ? this.#config.read(offset, width) : 0;
    return this.#file.read(offset, width, hardware);
  }

  writeConfig(offset: number, width: number, value: number): readonly Effect[] {
    const effects = this.#writeRegisters(offset, width, value);
    return this.msi?.isTorn === true && !this.msi.isAddressWord(offset >>> 2)
      ? [...effects, ...this.catchUp()]
      : effects;
  }

  /** Whether a changed MSI address waits for its data; any other access ends the wait with `catchUp`. */
  get isBehind(): boolean {
    return this.msi?.isTorn === true;
  }

  catchUp(): readonly Effect[] {
    this.#changes.value += 1;
    const effects: Effect[] = [];
    this.#signal(effects);
    return effects;
  }

  #writeRegisters(offset: number, width: number, value: number): readonly Effect[] {
    if (!isConfigAccess(offset, width)) {
      this.#statistics.countDeniedWrite();
      return noEffects;
    }
    const covered = lanes(offset, width);
    const word = offset >>> 2;
    const isWritable = ((this.#writable[word] ?? 0) & covered) !== 0;
    const mayBeDenied = this.denied.concerns(word, covered);
    const reachesHardware = isWritable && !this.#asleep && this.#file.needsHardwareToWrite(offset, width);
    // One read of the device serves both: what the guest sees there, and what its write is merged with.
    const isRead = reachesHardware || (mayBeDenied && this.#file.needsHardwareToRead(offset, width));
    const hardware = isRead ? this.#config.read(offset, width) : 0;
    if (mayBeDenied) {
      const shift = (offset & 3) * 8;
      this.denied.note(word, covered, value << shift, this.#file.read(offset, width, hardware) << shift);
    }
    if (!isWritable) {
      this.#statistics.countDeniedWrite();
      return noEffects;
    }
    const before = this.#file.shadow(word);
    const changed = this.#file.write(offset, width, value, hardware);
    const writes = reachesHardware && !this.#isGone(hardware, width) ? this.#hardwareWritesOf(word) : noWrites;
    if (changed === 0) {
      const after = this.#file.shadow(word);
      if (after !== before) this.#changes.noteWord(wordPlace(this.#guestDevfn, word), after);
      return writes;
    }
    this.#changes.value += 1;
    const effects: Effect[] = [...writes];
    this.#react(word, changed, effects);
    return effects;
  }

  isMsiMasked(vector: number): boolean {
    return this.msi?.isMaskedIn(this.#file, vector) === true;
  }

  /** The BAR that accesses to this guest address come to us for, or null; the address as of `BarWindow.offsetOf`. */
  windowAt(addressLow: number, addressHigh = 0): BarWindow | null {
    for (let index = 0; index < this.bars.length; index += 1) {
      const window = this.bars[index];
      if (window !== undefined && window.offsetOf(addressLow, addressHigh) >= 0) return window;
    }
    return null;
  }

  /** Low 32 bits, of either sign, of a read in the pages of the MSI-X table: its own, or what the device has there. */
  readTable(barOffset: number, size: number): number {
    const pages = this.tablePages;
    const low = pages?.read(barOffset, size) ?? -1;
    this.#high = pages?.high ?? -1;
    return low;
  }

  /** Low 32 bits of a read of an expansion ROM from a file. */
  readRom(barOffset: number, size: number): number {
    const low = this.#rom?.read(barOffset, size) ?? 0xffff_ffff;
    this.#high = this.#rom?.high ?? 0xffff_ffff;
    return low;
  }

  /** Upper 32 bits of the last `readTable` or `readRom`. */
  get high(): number {
    return this.#high;
  }

  writeTable(barOffset: number, size: number, low: number, high: number): readonly Effect[] {
    const { msix, tablePages } = this;
    if (msix === null || tablePages === null) return noEffects;
    const event = tablePages.writeTable(barOffset, size, low, high);
    if (event === 0) return noEffects;
    const effects = this.#empty;
    msix.react(event, effects);
    if (effects.length === 0) {
      this.#noteTableWords(msix, tablePages.tableOffset(barOffset), size);
      return noEffects;
    }
    this.#changes.value += 1;
    this.#empty = [];
    return effects;
  }

  #noteTableWords({ table }: MsiXState, offset: number, size: number): void {
    for (let at = offset; at < offset + size; at += 4) {
      this.#changes.noteWord(tableWordPlace(this.#guestDevfn, at >>> 2), table.read(at, 4));
    }
  }

  /** Whether Xen took the message of a `bindMessage` effect. */
  settle(kind: MessageKind, entry: number, bound: boolean): void {
    if (kind === 'msi') this.msi?.settle(entry, bound);
    else this.msix?.settle(entry, bound);
  }

  /** Forgets every placement and binding, because all of it is being released at once. */
  abandon(): void {
    this.#changes.value += 1;
    for (const window of this.bars) window.abandon(this.#space);
    this.msi?.abandon();
    this.msix?.abandon();
  }

  #react(word: number, changed: number, effects: Effect[]): void {
    if (this.#isResetAsked(word, changed)) return this.#reset(effects);
    const commandWord = this.view.command.offset >>> 2;
    const woken = this.view.powerState !== undefined && word === this.view.powerState.offset >>> 2;
    if (woken || (word === commandWord && (changed & intxDisableBit) !== 0)) this.#followIntxDisable(effects);
    this.#place(effects);
    if (this.msi?.active === true && this.msi.isAddressWord(word)) this.msi.defer();
    else this.#signal(effects);
  }

  #followIntxDisable(effects: Effect[]): void {
    if (this.#asleep) return;
    const disable = (this.#file.shadow(this.view.command.offset >>> 2) & intxDisableBit) !== 0;
    const effect = intxDisableEffect(this.#config, disable, this.intxBound);
    if (effect !== null) effects.push(effect);
  }

  /** In D1 to D3 a function takes configuration accesses only: it decodes nothing, and signals nothing. */
  get #asleep(): boolean {
    const { powerState } = this.view;
    return powerState !== undefined && (this.#file.shadow(powerState.offset >>> 2) & inWord(powerState)) !== 0;
  }

  #isResetAsked(word: number, changed: number): boolean {
    const bits = this.view.functionResets?.find(({ offset }) => offset >>> 2 === word);
    return bits !== undefined && (changed & this.#file.shadow(word) & inWord(bits)) !== 0;
  }

  /** PCI Express Base 5.0 §6.6.2: afterwards the guest's registers are as at attach, the bit it wrote among them. */
  #reset(effects: Effect[]): void {
    this.msi?.disable(effects);
    this.msix?.disable(effects);
    this.#file.reset();
    this.#place(effects);
    this.msix?.table.reset();
    effects.push({ type: 'resetFunction' });
  }

  /** Everything that leaves goes before anything that comes, so that BARs can change places. */
  #place(effects: Effect[]): void {
    const command = this.#asleep ? 0 : this.#file.shadow(this.view.command.offset >>> 2);
    const asked = this.bars.filter((window) => window.update(this.#file, command));
    if (asked.length === 0) return;
    const moved = this.bars.filter((window) => asked.includes(window) || window.refusal === 'overlap');
    if (this.#tableWindow !== null && moved.includes(this.#tableWindow)) {
      this.msix?.suspend(effects, (entry) => this.tablePages?.vectorControl(entry) ?? allOnes(4));
    }
    for (const window of moved) window.leave(this.#space, effects);
    for (const window of moved) window.enter(this.#space, effects);
  }

  /** Message interrupts follow their enable bits; of the two kinds, the one that is on keeps the other off. */
  #signal(effects: Effect[]): void {
    if (this.#asleep) return;
    const { msi, msix } = this;
    const tableBar = this.#tableWindow?.placed ?? null;
    if (msi !== null && !msi.isEnabledIn(this.#file)) msi.disable(effects);
    if (msix !== null && !msix.isEnabledIn(this.#file)) msix.disable(effects);
    const msixWanted = msix !== null && tableBar !== null && msi?.active !== true && msix.isEnabledIn(this.#file);
    if (msixWanted) msix.enable(this.#file, tableBar, effects);
    const msiWanted = msi !== null && msix?.active !== true && msi.isEnabledIn(this.#file);
    if (msiWanted) msi.follow(this.#file, effects);
  }

  /** A function that answers nothing but ones is not there; what was read must not be written back. */
  #isGone(hardware: number, width: AccessWidth): boolean {
    return hardware === allOnes(width) && this.#config.read(0, 4) === 0xffff_ffff;
  }

  #hardwareWritesOf(word: number): readonly Effect[] {
    return this.#hardwareWrites.of(word * 4, this.#file.hardwareByteEnables, this.#file.hardwareValue);
  }
}

function isConfigAccess(offset: number, width: number): width is AccessWidth {
  return (
    (width === 1 || width === 2 || width === 4) && offset >= 0 && offset < configSpaceBytes && offset % width === 0
  );
}

/** Bits of the word that an access covers. */
function lanes(offset: number, width: AccessWidth): number {
  return width === 4 ? -1 : allOnes(width) << ((offset & 3) * 8);
}

/** Bits of a register at their places in their word. */
function inWord({ offset, mask }: RegisterBits): number {
  return mask << ((offset & 3) * 8);
}

/** All ones of the access, as far as they fit 32 bits. */
export function allOnes(width: number): number {
  if (width === 1) return 0xff;
  return width === 2 ? 0xffff : 0xffff_ffff;
}
