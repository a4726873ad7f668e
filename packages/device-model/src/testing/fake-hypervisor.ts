import { formatSbdf } from '@xenpt/pci';
import type { Hypervisor, MessageRequest } from '../hypervisor.js';
import type { ConfigWrite, FakeDevice } from './fake-device.js';
import { FakePirqs } from './fake-pirqs.js';
import { FakeXenError } from './fake-xen-error.js';
import { Ranges } from './ranges.js';

export type HypervisorCallName = keyof Hypervisor;

export interface HypervisorCall {
  readonly name: HypervisorCallName;
  readonly arguments: readonly unknown[];
}

export interface FakeHypervisorOptions {
  /** Functions assigned to the domain. */
  readonly devices: readonly FakeDevice[];
  /** Default 32, Xen's extra_guest_irqs for a domU. */
  readonly messagePirqs?: number;
  /** Without it no function gets several MSI vectors. Default true. */
  readonly interruptRemapping?: boolean;
  /** The guest's RAM; a mapping over it is a violation. Default: below 2 GiB. */
  readonly ram?: { readonly start: bigint; readonly end: bigint };
}

/** MAX_NR_IO_RANGES in xen/arch/x86/include/asm/hvm/ioreq.h. */
const mostRanges = 256;

/**
 * A hypervisor that keeps books and forgives nothing: what Xen would let pass and later regret (a double map, a bind
 * without a pirq, interrupts on before they are bound, a BAR over RAM) is a violation, kept in `violations` even when
 * the caller swallows the error. What Xen refuses in earnest (no pirq left, injected faults) is a {@link FakeXenError}.
 */
export class FakeHypervisor implements Hypervisor {
  readonly calls: HypervisorCall[] = [];
  /** True: the domain is gone, and who calls knows it: every call is a violation. */
  domainGone = false;
  /** Before the call with this index the domain dies. */
  diesBefore = Infinity;
  /**
   * True for the one call that a killed process may have made: made again, it is refused as Xen refuses it, and no
   * violation.
   */
  pardonsNext = false;
  readonly #devices: readonly FakeDevice[];
  readonly #ram: { readonly start: bigint; readonly end: bigint };
  readonly #violations: string[] = [];
  readonly #faults: { where: number | HypervisorCallName; errnoName: string; times: number }[] = [];
  readonly #functions = new Set<number>();
  readonly #claims = { memory: new Ranges(), ports: new Ranges() };
  readonly #maps = { memory: new Ranges(), ports: new Ranges() };
  readonly #pirqs: FakePirqs;
  #isDead = false;

  constructor(options: FakeHypervisorOptions) {
    this.#devices = options.devices;
    this.#pirqs = new FakePirqs({
      devices: options.devices,
      messagePirqs: options.messagePirqs ?? 32,
      interruptRemapping: options.interruptRemapping ?? true,
      claims: this.#claims.memory,
      violate: (text) => this.#violate(text),
    });
    this.#ram = options.ram ?? { start: 0n, end: 0x7fff_ffffn };
    for (const device of options.devices) device.onWrite = (write) => this.#judgeEnable(device, write);
  }

  /** The call with this index, or the next `times` of this name, fail and change nothing. */
  failAt(where: number | HypervisorCallName, errnoName = 'EINVAL', times = 1): void {
    this.#faults.push({ where, errnoName, times });
  }

  /**
   * Xen takes back what a dead domain held, its ioreq servers, mappings and pirqs, and refuses every call that names
   * it. The functions are as they were.
   */
  die(): void {
    this.#isDead = true;
    this.#functions.clear();
    for (const ranges of [...Object.values(this.#claims), ...Object.values(this.#maps)]) ranges.clear();
    this.#pirqs.clear();
  }

  /** @returns a way back to what is held now; what was called and done wrong since stays known */
  keep(): () => void {
    const [isDead, functions] = [this.#isDead, [...this.#functions]];
    const ranges = [...Object.values(this.#claims), ...Object.values(this.#maps)].map((one) => one.keep());
    const backs = [...ranges, this.#pirqs.keep()];
    return () => {
      this.#isDead = isDead;
      this.#functions.clear();
      for (const devfn of functions) this.#functions.add(devfn);
      for (const back of backs) back();
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get violations(): readonly string[] {
    return [...this.#violations, ...this.#devices.flatMap((device) => device.violations)];
  }

  count(name: HypervisorCallName): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  /** What the domain holds, one phrase each. */
  held(): string[] {
    return [
      ...[...this.#functions].map((devfn) => `function 0x${devfn.toString(16)}`),
      ...this.#claims.memory.describe('claimed memory'),
      ...this.#claims.ports.describe('claimed ports'),
      ...this.#maps.memory.describe('mapped frames'),
      ...this.#maps.ports.describe('mapped ports'),
      ...this.#pirqs.describe(),
    ];
  }

  /** What `held` does not tell: where mappings lead, and what pirqs are bound to. */
  leads(): string[] {
    const maps = [...this.#maps.memory.entries(), ...this.#maps.ports.entries()];
    return [...maps.map((map) => map.join(' ')), ...this.#pirqs.describeBound()];
  }

  /** @throws when something is still held, is on in hardware, or was ever done wrong */
  assertBaseline(): void {
    const on = this.#devices.filter(({ msiEnabled, msixEnabled }) => msiEnabled || msixEnabled);
    const problems = [
      ...this.violations,
      ...this.held(),
      ...on.map(({ image }) => `${formatSbdf(image.sbdf)} signals`),
    ];
    if (problems.length > 0) throw new Error(`not at the baseline: ${problems.join('; ')}`);
  }

  /** The frames mapped into the guest, as [gfn, mfn, count]. */
  mappedFrames(): (readonly [bigint, bigint, bigint])[] {
    return this.#maps.memory.entries();
  }

  isClaimed(address: bigint): boolean {
    return this.#claims.memory.covering(address, address);
  }

  /** The message a pirq is bound to, or null. */
  boundTo(pirq: number): { readonly vector: number; readonly flags: number; readonly table: bigint } | null {
    return this.#pirqs.boundTo(pirq);
  }

  pirqsInUse(): number[] {
    return this.#pirqs.inUse();
  }

  /** Nobody knows of this pirq any more; it is the domain's until it ends. */
  losePirq(pirq: number): void {
    this.#pirqs.lose(pirq);
  }

  claimFunction(guestDevfn: number): void {
    this.#enter('claimFunction', guestDevfn);
    if (this.#functions.has(guestDevfn)) this.#violate(`function 0x${guestDevfn.toString(16)} claimed twice`);
    this.#functions.add(guestDevfn);
  }

  releaseFunction(guestDevfn: number): void {
    this.#enter('releaseFunction', guestDevfn);
    if (!this.#functions.delete(guestDevfn)) this.#violate(`function 0x${guestDevfn.toString(16)} was not claimed`);
  }

  claimMemory(start: bigint, end: bigint): void {
    this.#enter('claimMemory', start, end);
    this.#claim(this.#claims.memory, start, end);
    if (this.#maps.memory.overlaps(start >> 12n, end >> 12n)) this.#violate('claimed memory that is mapped');
  }

  releaseMemory(start: bigint, end: bigint): void {
    this.#enter('releaseMemory', start, end);
    if (!this.#claims.memory.remove(start, start, end - start + 1n))
      this.#violate('released memory that is not claimed');
  }

  claimPorts(start: number, end: number): void {
    this.#enter('claimPorts', start, end);
    this.#claim(this.#claims.ports, BigInt(start), BigInt(end));
  }

  releasePorts(start: number, end: number): void {
    this.#enter('releasePorts', start, end);
    const count = BigInt(end - start + 1);
    if (!this.#claims.ports.remove(BigInt(start), BigInt(start), count))
      this.#violate('released ports that are not claimed');
  }

  mapMemory(gfn: bigint, mfn: bigint, count: bigint): void {
    this.#enter('mapMemory', gfn, mfn, count);
    const last = mfn + count - 1n;
    if (count <= 0n || gfn < 0n) this.#violate(`mapMemory of ${count} frames at ${gfn}`);
    const owner = this.#devices.find((device) => coversFrames(device, mfn, last));
    if (owner === undefined) this.#violate(`frames from 0x${mfn.toString(16)} belong to no assigned BAR`);
    const { table } = owner;
    if (table !== null && mfn <= table.lastFrame && table.firstFrame <= last)
      this.#violate('an MSI-X table page was mapped');
    if (gfn <= this.#ram.end >> 12n && this.#ram.start >> 12n <= gfn + count - 1n)
      this.#violate('a BAR was mapped over RAM');
    const [from, to] = [gfn << 12n, ((gfn + count) << 12n) - 1n];
    if (this.#claims.memory.overlaps(from, to) && !this.#claims.memory.covering(from, to))
      this.#violate('mapped memory of which a part is claimed');
    if (this.#maps.memory.overlaps(gfn, gfn + count - 1n))
      this.#violate(`frames at 0x${gfn.toString(16)} mapped twice`);
    this.#maps.memory.add(gfn, mfn, count);
  }

  unmapMemory(gfn: bigint, mfn: bigint, count: bigint): void {
    this.#enter('unmapMemory', gfn, mfn, count);
    if (!this.#maps.memory.remove(gfn, mfn, count))
      this.#violate(`frames at 0x${gfn.toString(16)} are not so mapped`);
  }

  mapPorts(guest: number, machine: number, count: number): void {
    this.#enter('mapPorts', guest, machine, count);
    const first = BigInt(guest);
    const last = first + BigInt(count) - 1n;
    if (count <= 0 || last > 0xffffn) this.#violate(`mapPorts of ${count} at ${guest}`);
    if (!this.#devices.some((device) => coversPorts(device, machine, count)))
      this.#violate('ports of no assigned BAR');
    if (this.#maps.ports.overlaps(first, last)) this.#violate(`ports at 0x${guest.toString(16)} mapped twice`);
    this.#maps.ports.add(first, BigInt(machine), BigInt(count));
  }

  unmapPorts(guest: number, machine: number, count: number): void {
    this.#enter('unmapPorts', guest, machine, count);
    const removed = this.#maps.ports.remove(BigInt(guest), BigInt(machine), BigInt(count));
    if (!removed) this.#violate(`ports at 0x${guest.toString(16)} are not so mapped`);
  }

  mapGsi(gsi: number): number {
    this.#enter('mapGsi', gsi);
    // Xen gives the same number again.
    if (this.pardonsNext && this.#pirqs.inUse().includes(gsi)) return gsi;
    return this.#pirqs.mapGsi(gsi);
  }

  mapMsi(request: MessageRequest): number {
    this.#enter('mapMsi', request);
    return this.#pirqs.mapMsi(request);
  }

  unmapPirq(pirq: number): void {
    this.#enter('unmapPirq', pirq);
    this.#pirqs.unmap(pirq);
  }

  bindIntx(pirq: number, guestDevice: number, intx: number): void {
    this.#enter('bindIntx', pirq, guestDevice, intx);
    this.#pirqs.bindIntx(pirq, guestDevice, intx);
  }

  unbindIntx(pirq: number, guestDevice: number, intx: number): void {
    this.#enter('unbindIntx', pirq, guestDevice, intx);
    this.#pirqs.unbindIntx(pirq, guestDevice, intx);
  }

  bindMsi(pirq: number, gvec: number, gflags: number, gtable: bigint): void {
    this.#enter('bindMsi', pirq, gvec, gflags, gtable);
    this.#pirqs.bindMsi(pirq, gvec, gflags, gtable);
  }

  unbindMsi(pirq: number, gvec: number, gflags: number): void {
    this.#enter('unbindMsi', pirq, gvec, gflags);
    this.#pirqs.unbindMsi(pirq, gvec, gflags);
  }

  #enter(name: HypervisorCallName, ...callArguments: unknown[]): void {
    const index = this.calls.length;
    this.calls.push({ name, arguments: callArguments });
    if (this.domainGone) this.#violate(`${name} on a domain that is gone`);
    if (index >= this.diesBefore) this.die();
    if (this.#isDead) throw new FakeXenError(name, 'ESRCH');
    const fault = this.#faults.find(({ where, times }) => times > 0 && (where === index || where === name));
    if (fault === undefined) return;
    fault.times -= 1;
    throw new FakeXenError(name, fault.errnoName);
  }

  #violate(text: string): never {
    if (this.pardonsNext) {
      this.pardonsNext = false;
      throw new FakeXenError(text, 'EINVAL');
    }
    this.#violations.push(text);
    throw new Error(`violation: ${text}`);
  }

  #claim(claims: Ranges, start: bigint, end: bigint): void {
    if (start > end || start < 0n) this.#violate(`claim of ${start}..${end}`);
    if (claims.overlaps(start, end)) this.#violate(`claim of 0x${start.toString(16)} overlaps another`);
    if (claims.size >= mostRanges) throw new FakeXenError('claim', 'ENOSPC');
    claims.add(start, start, end - start + 1n);
  }

  /** Interrupts may go on in hardware only for what is bound (security.md C3). */
  #judgeEnable(device: FakeDevice, { offset, width, value }: ConfigWrite): void {
    const { msi, msix } = device.capabilities;
    const turnsMsiOn = msi !== null && offset === msi + 2 && width === 2 && (value & 1) !== 0;
    if (turnsMsiOn) this.#judgeMsiEnable(device, value);
    const turnsMsixOn = msix !== null && offset === msix + 2 && width === 2 && (value & 0x8000) !== 0;
    if (turnsMsixOn && device.msiEnabled) this.#violate('MSI-X turned on while MSI is on');
    if (turnsMsixOn && (device.command & 2) === 0) this.#violate('MSI-X turned on while memory decode is off');
  }

  #judgeMsiEnable(device: FakeDevice, control: number): void {
    const { mapped, bound } = this.#pirqs.messagesOf(device, 'msi');
    // Xen has masked in the function what is mapped and not bound, if it can.
    const ready = device.msiMaskable ? mapped : bound;
    if (ready === 0 || ready < mapped) this.#violate('MSI turned on before its message was bound');
    if (vectorCountOf(control) !== mapped) {
      this.#violate(`MSI turned on with ${vectorCountOf(control)} vectors of which ${mapped} are mapped`);
    }
    if (device.msixEnabled) this.#violate('MSI turned on while MSI-X is on');
  }
}

function vectorCountOf(control: number): number {
  return 1 << ((control >>> 4) & 7);
}

function coversFrames({ image }: FakeDevice, first: bigint, last: bigint): boolean {
  return image.resources.some(({ kind, start, sizeBytes }) => {
    const end = start + (sizeBytes > 4096n ? sizeBytes : 4096n) - 1n;
    return kind === 'memory' && start >> 12n <= first && last <= end >> 12n;
  });
}

function coversPorts({ image }: FakeDevice, first: number, count: number): boolean {
  return image.resources.some(({ kind, start, sizeBytes }) => {
    return kind === 'io' && start <= BigInt(first) && BigInt(first + count) <= start + sizeBytes;
  });
}
