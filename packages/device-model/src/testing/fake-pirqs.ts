import { formatSbdf } from '@xenpt/pci';
import type { MessageRequest } from '../hypervisor.js';
import type { FakeDevice } from './fake-device.js';
import { FakeXenError } from './fake-xen-error.js';
import type { Ranges } from './ranges.js';

interface FakePirq {
  readonly kind: 'line' | 'msi' | 'msi-x';
  readonly device: FakeDevice | null;
  /** GSI of a line, entry of a message. */
  readonly index: number;
  bound: { readonly vector: number; readonly flags: number; readonly table: bigint } | null;
  intx: string | null;
}

export interface FakePirqsOptions {
  readonly devices: readonly FakeDevice[];
  /** How many messages the domain can have. */
  readonly messagePirqs: number;
  /** Guest memory that comes to the ioreq server. */
  readonly claims: Ranges;
  readonly violate: (text: string) => never;
}

/** pirqs below are host lines. */
const lines = 48;

/** The interrupts of the strict hypervisor's domain: what is mapped, and what it is bound to. */
export class FakePirqs {
  readonly #devices: readonly FakeDevice[];
  readonly #messagePirqs: number;
  readonly #claims: Ranges;
  readonly #violate: (text: string) => never;
  readonly #pirqs = new Map<number, FakePirq>();

  constructor(options: FakePirqsOptions) {
    this.#devices = options.devices;
    this.#messagePirqs = options.messagePirqs;
    this.#claims = options.claims;
    this.#violate = options.violate;
  }

  inUse(): number[] {
    return [...this.#pirqs.keys()];
  }

  describe(): string[] {
    return [...this.#pirqs].map(([pirq, { kind, index }]) => `pirq ${pirq} for ${kind} ${index}`);
  }

  isBound(device: FakeDevice, kind: FakePirq['kind']): boolean {
    return [...this.#pirqs.values()].some(
      (pirq) => pirq.device === device && pirq.kind === kind && pirq.bound !== null,
    );
  }

  mapGsi(gsi: number): number {
    for (const pirq of this.#pirqs.values())
      if (pirq.kind === 'line' && pirq.index === gsi) this.#violate('a line mapped twice');
    this.#pirqs.set(gsi, { kind: 'line', device: null, index: gsi, bound: null, intx: null });
    return gsi;
  }

  mapMsi(request: MessageRequest): number {
    const { sbdf, entry, tableBase, pirq: wanted } = request;
    const device = this.#devices.find(({ image }) => formatSbdf(image.sbdf) === formatSbdf(sbdf));
    if (device === undefined) return this.#violate(`${formatSbdf(sbdf)} is not assigned to the domain`);
    const kind = tableBase === 0n ? 'msi' : 'msi-x';
    if (kind === 'msi-x') this.#judgeTable(device, entry, tableBase);
    for (const other of this.#pirqs.values()) {
      if (other.device !== device) continue;
      if (other.kind === kind && other.index === entry) this.#violate(`${kind} entry ${entry} mapped twice`);
      if (other.kind !== kind) this.#violate(`${kind} mapped while ${other.kind} is`);
    }
    if (wanted !== -1 && this.#pirqs.has(wanted)) this.#violate(`pirq ${wanted} is mapped to something else`);
    const pirq = wanted === -1 ? this.#freePirq() : wanted;
    this.#pirqs.set(pirq, { kind, device, index: entry, bound: null, intx: null });
    return pirq;
  }

  unmap(pirq: number): void {
    const held = this.#pirq(pirq);
    if (held.bound !== null || held.intx !== null) this.#violate(`pirq ${pirq} unmapped while bound`);
    this.#pirqs.delete(pirq);
  }

  bindIntx(pirq: number, guestDevice: number, intx: number): void {
    const held = this.#pirq(pirq);
    if (held.kind !== 'line') this.#violate(`pirq ${pirq} is no line`);
    held.intx = `${held.intx ?? ''} ${guestDevice}.${intx}`;
  }

  unbindIntx(pirq: number, guestDevice: number, intx: number): void {
    const held = this.#pirq(pirq);
    const users = (held.intx ?? '').split(' ').filter((user) => user !== '');
    const index = users.indexOf(`${guestDevice}.${intx}`);
    if (index < 0) this.#violate(`pirq ${pirq} is not bound to ${guestDevice}.${intx}`);
    users.splice(index, 1);
    held.intx = users.length === 0 ? null : users.join(' ');
  }

  bindMsi(pirq: number, gvec: number, gflags: number, gtable: bigint): void {
    const held = this.#pirq(pirq);
    if (held.kind === 'line') this.#violate(`pirq ${pirq} is a line`);
    if (gvec < 0 || gvec > 0xff || gflags < 0 || gflags > 0x1_ffff)
      this.#violate(`bind of vector ${gvec}, flags ${gflags}`);
    if ((held.kind === 'msi-x') !== (gtable !== 0n))
      this.#violate(`${held.kind} bound with table 0x${gtable.toString(16)}`);
    if (gtable !== 0n) this.#judgeGuestTable(held, gtable);
    held.bound = { vector: gvec, flags: gflags & 0xffff, table: gtable };
  }

  unbindMsi(pirq: number, gvec: number, gflags: number): void {
    const held = this.#pirq(pirq);
    if (held.bound === null) return this.#violate(`pirq ${pirq} is not bound`);
    if (held.bound.vector !== gvec || held.bound.flags !== gflags)
      this.#violate(`pirq ${pirq} is bound to another message`);
    const on = held.kind === 'msi' ? held.device?.msiEnabled : held.device?.msixEnabled;
    if (on === true) this.#violate(`pirq ${pirq} unbound while ${held.kind} is on in hardware`);
    held.bound = null;
  }

  #pirq(pirq: number): FakePirq {
    return this.#pirqs.get(pirq) ?? this.#violate(`pirq ${pirq} is not mapped`);
  }

  /** Xen hands them out downwards from the top. */
  #freePirq(): number {
    for (let pirq = lines + this.#messagePirqs - 1; pirq >= lines; pirq -= 1) if (!this.#pirqs.has(pirq)) return pirq;
    throw new FakeXenError('mapMsi', 'ENOSPC');
  }

  #judgeTable(device: FakeDevice, entry: number, tableBase: bigint): void {
    const { table } = device;
    if (table === null) return this.#violate('the device has no MSI-X table');
    if (tableBase !== table.barStart) this.#violate('the table base is not the BAR with the table');
    if (entry < 0 || entry >= table.entryCount) this.#violate(`the device has no MSI-X entry ${entry}`);
    if ((device.command & 2) === 0) this.#violate('MSI-X mapped while hardware memory decode is off');
  }

  #judgeGuestTable(held: FakePirq, gtable: bigint): void {
    const sizeBytes = held.device?.table?.sizeBytes ?? 0n;
    if (!this.#claims.covering(gtable, gtable + sizeBytes - 1n)) this.#violate('the guest table is not claimed');
    for (const other of this.#pirqs.values()) {
      const stale =
        other !== held && other.device === held.device && other.bound !== null && other.bound.table !== gtable;
      if (stale) this.#violate('bound with a new table address while entries hang on the old one');
    }
  }
}
