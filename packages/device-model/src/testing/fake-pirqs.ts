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
  /** Vectors mapped with this one, the first; 0 for the others. */
  groupSize: number;
}

export interface FakePirqsOptions {
  readonly devices: readonly FakeDevice[];
  /** How many messages the domain can have. */
  readonly messagePirqs: number;
  readonly interruptRemapping: boolean;
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
  readonly #interruptRemapping: boolean;
  readonly #claims: Ranges;
  readonly #violate: (text: string) => never;
  readonly #pirqs = new Map<number, FakePirq>();
  readonly #lost = new Set<number>();

  constructor(options: FakePirqsOptions) {
    this.#devices = options.devices;
    this.#messagePirqs = options.messagePirqs;
    this.#interruptRemapping = options.interruptRemapping;
    this.#claims = options.claims;
    this.#violate = options.violate;
  }

  inUse(): number[] {
    return [...this.#pirqs.keys()];
  }

  describe(): string[] {
    return [...this.#pirqs].map(([pirq, { kind, index }]) => `pirq ${pirq} for ${kind} ${index}`);
  }

  describeBound(): string[] {
    return [...this.#pirqs].flatMap(([pirq, { bound, intx }]) => {
      const message = bound === null ? [] : [`pirq ${pirq} to ${bound.vector}, ${bound.flags}, ${bound.table}`];
      return [...message, ...(intx === null ? [] : [`pirq ${pirq} to${intx}`])];
    });
  }

  clear(): void {
    this.#pirqs.clear();
  }

  /** @returns a way back to how things are now */
  keep(): () => void {
    const pirqs = [...this.#pirqs].map(([pirq, held]) => [pirq, { ...held }] as const);
    const lost = [...this.#lost];
    return () => {
      this.#pirqs.clear();
      this.#lost.clear();
      for (const [pirq, held] of pirqs) this.#pirqs.set(pirq, { ...held });
      for (const pirq of lost) this.#lost.add(pirq);
    };
  }

  /** How many of the function's messages are mapped, and how many of those are bound. */
  messagesOf(device: FakeDevice, kind: 'msi' | 'msi-x'): { readonly mapped: number; readonly bound: number } {
    const own = [...this.#pirqs.values()].filter((pirq) => pirq.device === device && pirq.kind === kind);
    return { mapped: own.length, bound: own.filter(({ bound }) => bound !== null).length };
  }

  /** What a pirq is bound to. */
  boundTo(pirq: number): FakePirq['bound'] {
    return this.#pirqs.get(pirq)?.bound ?? null;
  }

  lose(first: number): void {
    const { groupSize } = this.#pirq(first);
    for (let pirq = first; pirq < first + groupSize; pirq += 1) {
      this.#pirqs.delete(pirq);
      this.#lost.add(pirq);
    }
  }

  mapGsi(gsi: number): number {
    for (const pirq of this.#pirqs.values())
      if (pirq.kind === 'line' && pirq.index === gsi) this.#violate('a line mapped twice');
    this.#pirqs.set(gsi, { kind: 'line', device: null, index: gsi, bound: null, intx: null, groupSize: 1 });
    return gsi;
  }

  mapMsi(request: MessageRequest): number {
    const { sbdf, entry, tableBase, pirq: wanted, vectorCount } = request;
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
    this.#judgeCount(device, kind, wanted, vectorCount);
    const first = wanted === -1 ? this.#freePirqs(vectorCount) : wanted;
    for (let index = 0; index < vectorCount; index += 1) {
      const groupSize = index === 0 ? vectorCount : 0;
      this.#pirqs.set(first + index, { kind, device, index: entry + index, bound: null, intx: null, groupSize });
    }
    return first;
  }

  unmap(pirq: number): void {
    const held = this.#pirq(pirq);
    if (held.groupSize === 0) this.#violate(`pirq ${pirq} unmapped without the first of its group`);
    for (let index = 0; index < held.groupSize; index += 1) {
      const one = this.#pirq(pirq + index);
      if (one.bound !== null || one.intx !== null) this.#violate(`pirq ${pirq + index} unmapped while bound`);
      this.#pirqs.delete(pirq + index);
    }
    const isLast = ![...this.#pirqs.values()].some(
      ({ device, kind }) => device === held.device && kind === held.kind,
    );
    if (held.kind === 'msi' && isLast && isOn(held)) this.#violate(`pirq ${pirq} unmapped while MSI is on`);
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
    // Xen masks what it unbinds; without a mask bit the function goes on signalling.
    const isMaskable = held.kind === 'msi-x' || held.device?.msiMaskable === true;
    if (!isMaskable && isOn(held)) this.#violate(`pirq ${pirq} unbound while ${held.kind} is on in hardware`);
    held.bound = null;
  }

  #pirq(pirq: number): FakePirq {
    return this.#pirqs.get(pirq) ?? this.#violate(`pirq ${pirq} is not mapped`);
  }

  #judgeCount(device: FakeDevice, kind: FakePirq['kind'], wanted: number, vectorCount: number): void {
    const isPower = [1, 2, 4, 8, 16, 32].includes(vectorCount);
    if (!isPower || vectorCount > (kind === 'msi' ? device.msiVectorCount : 1)) {
      this.#violate(`${vectorCount} vectors of ${kind} mapped`);
    }
    if (vectorCount > 1 && wanted !== -1) this.#violate('several vectors mapped to a wanted pirq');
    if (vectorCount > 1 && !this.#interruptRemapping) throw new FakeXenError('mapMsi', 'EOPNOTSUPP');
  }

  /** Xen hands them out downwards from the top, several as neighbours. */
  #freePirqs(count: number): number {
    for (let first = lines + this.#messagePirqs - count; first >= lines; first -= 1) {
      if (
        Array.from({ length: count }, (_, index) => first + index).every(
          (pirq) => !this.#pirqs.has(pirq) && !this.#lost.has(pirq),
        )
      ) {
        return first;
      }
    }
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

function isOn({ kind, device }: FakePirq): boolean {
  return (kind === 'msi' ? device?.msiEnabled : device?.msixEnabled) === true;
}
