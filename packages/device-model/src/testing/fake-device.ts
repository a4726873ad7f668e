import { allOnes, readLittleEndian, type AccessWidth, type ConfigAccess, type FunctionImage } from '@xenpt/pci';
import type { HostDevice } from '../host-device.js';
import { FakeBar, type BarAccessRecord } from './fake-bar.js';

export interface ConfigWrite {
  readonly offset: number;
  readonly width: AccessWidth;
  readonly value: number;
}

/** Offsets of the capabilities whose writes are judged, found by a walk of our own. */
export interface FakeCapabilities {
  readonly msi: number | null;
  readonly msix: number | null;
  readonly vpd: number | null;
  readonly powerManagement: number | null;
}

/** Where the table lies, read straight from the image. */
export interface FakeTable {
  readonly barStart: bigint;
  readonly firstFrame: bigint;
  readonly lastFrame: bigint;
  readonly entryCount: number;
  readonly sizeBytes: bigint;
  readonly barIndex: number;
  readonly barOffset: number;
}

/** COMMAND bits that we may ever change in hardware: I/O, memory, bus master, INTx disable. */
const changeableCommand = 0x0407;
const msiControlBits = 0x0071;
const msixControlBits = 0xc000;

export interface FakeDeviceOptions {
  /** Whether the host offers to make accesses in the guest's place. Default: no, so BARs are mapped when placed. */
  readonly barAccess?: boolean;
}

/**
 * Hardware made of a recorded image. It remembers every write and objects to each that must never happen: to BARs, to
 * MSI address, data and mask, to a message control register in another width than 16 bits, to anything undescribed.
 */
export class FakeDevice implements HostDevice, ConfigAccess {
  readonly image: FunctionImage;
  readonly config: ConfigAccess = this;
  readonly writes: ConfigWrite[] = [];
  readonly violations: string[] = [];
  readonly capabilities: FakeCapabilities;
  readonly table: FakeTable | null;
  /** False: reads give all ones, writes go nowhere, as if it were pulled out. */
  present = true;
  closeCount = 0;
  openBar?: (index: number) => FakeBar;
  /** Accesses to its BARs in the guest's place, in order. */
  readonly barAccesses: BarAccessRecord[] = [];
  /** Bytes that the operator opened for the guest: written freely. */
  readonly opened = new Set<number>();
  resetCount = 0;
  /** Told before a reset; the test judges what the hypervisor still holds. */
  onReset: () => void = () => {};
  /** Told of every write before it takes effect; the fake hypervisor judges the order. */
  onWrite: (write: ConfigWrite) => void = () => {};
  readonly #bytes: Uint8Array;
  /** What only Xen writes: the MSI-X table and its pending bits, where the image says they are. */
  readonly #kept: readonly { readonly what: string; readonly start: bigint; readonly end: bigint }[];
  readonly #bars = new Map<number, FakeBar>();
  #failWriteIn = -1;

  constructor(image: FunctionImage, { barAccess = false }: FakeDeviceOptions = {}) {
    this.image = image;
    if (barAccess) this.openBar = (index) => this.bar(index);
    this.#bytes = Uint8Array.from(image.config);
    this.capabilities = {
      msi: findCapability(image.config, 0x05),
      msix: findCapability(image.config, 0x11),
      vpd: findCapability(image.config, 0x03),
      powerManagement: findCapability(image.config, 0x01),
    };
    this.table = locateTable(image, this.capabilities.msix);
    this.#kept = keptAreas(image, this.capabilities.msix);
  }

  read(offset: number, width: AccessWidth): number {
    return this.present ? readLittleEndian(this.#bytes, offset, width) : allOnes(width);
  }

  write(offset: number, width: AccessWidth, value: number): void {
    if (this.#failWriteIn === 0) {
      this.#failWriteIn = -1;
      throw new Error('EIO: the write to config was refused');
    }
    if (this.#failWriteIn > 0) this.#failWriteIn -= 1;
    if (!this.present) return;
    const write = { offset, width, value };
    this.#judge(write);
    this.onWrite(write);
    this.writes.push(write);
    for (let index = 0; index < width; index += 1) this.#bytes[offset + index] = (value >>> (index * 8)) & 0xff;
  }

  /** As the kernel does it: the registers are afterwards as they were before. */
  reset(): void {
    this.onReset();
    if (this.msiEnabled || this.msixEnabled) this.#object('reset while message interrupts are on');
    this.resetCount += 1;
  }

  /** The registers of a BAR. */
  bar(index: number): FakeBar {
    const known = this.#bars.get(index);
    const bar = known ?? new FakeBar(index, (access) => this.#judgeAccess(access));
    this.#bars.set(index, bar);
    return bar;
  }

  close(): void {
    this.closeCount += 1;
  }

  /** The write after `count` others throws, once. */
  failWriteAfter(count: number): void {
    this.#failWriteIn = count;
  }

  /** What the device answers from now on; not a write of anybody's. */
  poke(offset: number, ...values: number[]): void {
    this.#bytes.set(values, offset);
  }

  /** @returns a way back to how its registers are now */
  keep(): () => void {
    const bytes = this.#bytes.slice();
    return () => this.#bytes.set(bytes);
  }

  get command(): number {
    return readLittleEndian(this.#bytes, 4, 2);
  }

  get msiEnabled(): boolean {
    const { msi } = this.capabilities;
    return msi !== null && (readLittleEndian(this.#bytes, msi + 2, 2) & 1) !== 0;
  }

  get msiMaskable(): boolean {
    const { msi } = this.capabilities;
    return msi !== null && (readLittleEndian(this.image.config, msi + 2, 2) & 0x100) !== 0;
  }

  get msiVectorCount(): number {
    const { msi } = this.capabilities;
    return msi === null ? 0 : 1 << Math.min(5, (readLittleEndian(this.image.config, msi + 2, 2) >>> 1) & 7);
  }

  get msixEnabled(): boolean {
    const { msix } = this.capabilities;
    return msix !== null && (readLittleEndian(this.#bytes, msix + 2, 2) & 0x8000) !== 0;
  }

  get msixFunctionMasked(): boolean {
    const { msix } = this.capabilities;
    return msix !== null && (readLittleEndian(this.#bytes, msix + 2, 2) & 0x4000) !== 0;
  }

  #judge({ offset, width, value }: ConfigWrite): void {
    const { msi, msix, vpd } = this.capabilities;
    const changed = (readLittleEndian(this.#bytes, offset, width) ^ value) >>> 0;
    const where = `config write of ${width} byte(s) 0x${value.toString(16)} at 0x${offset.toString(16)}`;
    if (offset % width !== 0 || offset < 0 || offset + width > 256) this.#object(`${where}: unaligned or outside`);
    else if (value < 0 || value > allOnes(width)) this.#object(`${where}: the value is wider than the access`);
    else if (offset >= 4 && offset + width <= 6) {
      const command = (changed << ((offset - 4) * 8)) & ~changeableCommand;
      if (command !== 0) this.#object(`${where}: changes COMMAND bits 0x${command.toString(16)}`);
    } else if (msi !== null && offset === msi + 2 && width === 2) {
      if ((changed & ~msiControlBits) !== 0) this.#object(`${where}: changes read-only bits of MSI control`);
    } else if (msix !== null && offset === msix + 2 && width === 2) {
      if ((changed & ~msixControlBits) !== 0) this.#object(`${where}: changes read-only bits of MSI-X control`);
    } else if (vpd !== null && offset >= vpd + 2 && offset + width <= vpd + 4) {
      const flag = offset + width === vpd + 4 && (value >>> (width * 8 - 1)) & 1;
      if (flag) this.#object(`${where}: starts a write of vital product data`);
    } else if (!bytesOf(offset, width).every((byte) => this.opened.has(byte))) {
      this.#object(`${where}: nothing there may be written`);
    }
  }

  /** An access in the guest's place meets registers of the BAR, with decode on, and writes no page with MSI-X on it. */
  #judgeAccess(access: BarAccessRecord): void {
    this.barAccesses.push(access);
    const { bar, offset, size } = access;
    const where = `access of ${size} byte(s) at 0x${offset.toString(16)} of BAR ${bar}`;
    const resource = this.image.resources.find(({ index }) => index === bar);
    if (resource?.kind !== 'memory') return this.#object(`${where}: no memory BAR`);
    if ((this.command & 2) === 0) this.#object(`${where}: decode is off`);
    const page = Math.floor(offset / 4096);
    const last = resource.sizeBytes > 4096n ? resource.sizeBytes : 4096n;
    if (offset < 0 || BigInt(offset + size) > last || Math.floor((offset + size - 1) / 4096) !== page)
      this.#object(`${where}: outside, or across pages`);
    const frame = (resource.start + BigInt(offset)) >> 12n;
    const kept = this.#kept.find(({ start, end }) => start >> 12n <= frame && frame <= (end - 1n) >> 12n);
    if (kept !== undefined && access.written !== null)
      this.#object(`${where}: the page with ${kept.what} is read-only, and the write would never end`);
  }

  #object(violation: string): void {
    this.violations.push(violation);
  }
}

function bytesOf(offset: number, width: number): number[] {
  return Array.from({ length: width }, (_, index) => offset + index);
}

function findCapability(config: Uint8Array, id: number): number | null {
  let offset = (config[0x34] ?? 0) & 0xfc;
  for (let hop = 0; hop < 48 && offset >= 0x40 && offset < 0x100; hop += 1) {
    if (config[offset] === id) return offset;
    offset = (config[offset + 1] ?? 0) & 0xfc;
  }
  return null;
}

function locateTable(image: FunctionImage, msix: number | null): FakeTable | null {
  if (msix === null) return null;
  const pointer = readLittleEndian(image.config, msix + 4, 4);
  const bar = image.resources.find(({ index, kind }) => index === (pointer & 7) && kind === 'memory');
  const barOffset = (pointer & ~7) >>> 0;
  if (bar === undefined || BigInt(barOffset) >= bar.sizeBytes) return null;
  const entryCount = (readLittleEndian(image.config, msix + 2, 2) & 0x7ff) + 1;
  const start = bar.start + BigInt(barOffset);
  const room = bar.sizeBytes - BigInt(barOffset);
  const sizeBytes = BigInt(entryCount * 16) < room ? BigInt(entryCount * 16) : room;
  return {
    barStart: bar.start,
    firstFrame: start >> 12n,
    lastFrame: (start + sizeBytes - 1n) >> 12n,
    entryCount,
    sizeBytes,
    barIndex: bar.index,
    barOffset,
  };
}

/** Bounds are not looked at: Xen does not either. */
function keptAreas({ config, resources }: FunctionImage, msix: number | null) {
  if (msix === null || msix + 12 > config.length) return [];
  const entries = (readLittleEndian(config, msix + 2, 2) & 0x7ff) + 1;
  return [
    { what: 'the MSI-X table', at: msix + 4, sizeBytes: entries * 16 },
    { what: 'a pending bit', at: msix + 8, sizeBytes: Math.ceil(entries / 64) * 8 },
  ].flatMap(({ what, at, sizeBytes }) => {
    const pointer = readLittleEndian(config, at, 4);
    const bar = resources.find(({ index, kind }) => index === (pointer & 7) && kind === 'memory');
    if (bar === undefined) return [];
    const start = bar.start + BigInt((pointer & ~7) >>> 0);
    return [{ what, start, end: start + BigInt(sizeBytes) }];
  });
}
