import type { Changes } from './changes.js';
import { Failures } from './failures.js';
import type { CallName, Hypervisor, MessageRequest } from './hypervisor.js';
import { anyPirq } from './message.js';
import type { Statistics } from './statistics.js';

/** A call that was about to be made; whether it was made is not known. */
export interface CallIntent {
  readonly name: CallName;
  readonly values: readonly unknown[];
}

/** Notes each call before it is made, so that a process that is killed in it leaves word of it. */
export class JournalledHypervisor implements Hypervisor {
  readonly #inner: Hypervisor;
  readonly #changes: Changes;
  readonly #statistics: Statistics;
  readonly #save: () => void;
  #intent: CallIntent | null = null;
  /** One that a former process may have made: made again, its refusal means that it was. */
  #doubtful: CallIntent | null = null;

  /** @param save notes the intent, with everything that the calls before it have come to */
  constructor(inner: Hypervisor, changes: Changes, statistics: Statistics, save: () => void) {
    this.#inner = inner;
    this.#changes = changes;
    this.#statistics = statistics;
    this.#save = save;
  }

  get intent(): CallIntent | null {
    return this.#intent;
  }

  /**
   * Brings Xen to where the books are, but for what gives something back: that is made again by whoever goes on, and
   * may be refused. Of a message for which Xen chose the pirq the number is lost: it stays mapped until the domain
   * ends.
   */
  settle({ name, values }: CallIntent): void {
    // A second bind replaces the first: that it is refused says nothing of the first.
    if (name === 'bindMsi') return;
    const undo = this.#undo(name, values as never[]);
    if (undo === null) this.#doubtful = { name, values };
    else new Failures().attempt(undo);
  }

  claimFunction(guestDevfn: number): void {
    this.#call('claimFunction', [guestDevfn], () => this.#inner.claimFunction(guestDevfn));
  }

  releaseFunction(guestDevfn: number): void {
    this.#call('releaseFunction', [guestDevfn], () => this.#inner.releaseFunction(guestDevfn));
  }

  claimMemory(start: bigint, end: bigint): void {
    this.#call('claimMemory', [start, end], () => this.#inner.claimMemory(start, end));
  }

  releaseMemory(start: bigint, end: bigint): void {
    this.#call('releaseMemory', [start, end], () => this.#inner.releaseMemory(start, end));
  }

  claimPorts(start: number, end: number): void {
    this.#call('claimPorts', [start, end], () => this.#inner.claimPorts(start, end));
  }

  releasePorts(start: number, end: number): void {
    this.#call('releasePorts', [start, end], () => this.#inner.releasePorts(start, end));
  }

  mapMemory(gfn: bigint, mfn: bigint, count: bigint): void {
    this.#call('mapMemory', [gfn, mfn, count], () => this.#inner.mapMemory(gfn, mfn, count));
  }

  unmapMemory(gfn: bigint, mfn: bigint, count: bigint): void {
    this.#call('unmapMemory', [gfn, mfn, count], () => this.#inner.unmapMemory(gfn, mfn, count));
  }

  mapPorts(guest: number, machine: number, count: number): void {
    this.#call('mapPorts', [guest, machine, count], () => this.#inner.mapPorts(guest, machine, count));
  }

  unmapPorts(guest: number, machine: number, count: number): void {
    this.#call('unmapPorts', [guest, machine, count], () => this.#inner.unmapPorts(guest, machine, count));
  }

  mapGsi(gsi: number): number {
    return this.#take('mapGsi', [gsi], () => this.#inner.mapGsi(gsi));
  }

  mapMsi(request: MessageRequest): number {
    return this.#take('mapMsi', [request], () => this.#inner.mapMsi(request));
  }

  unmapPirq(pirq: number): void {
    this.#call('unmapPirq', [pirq], () => this.#inner.unmapPirq(pirq));
  }

  bindIntx(pirq: number, guestDevice: number, intx: number): void {
    this.#call('bindIntx', [pirq, guestDevice, intx], () => this.#inner.bindIntx(pirq, guestDevice, intx));
  }

  unbindIntx(pirq: number, guestDevice: number, intx: number): void {
    this.#call('unbindIntx', [pirq, guestDevice, intx], () => this.#inner.unbindIntx(pirq, guestDevice, intx));
  }

  bindMsi(pirq: number, gvec: number, gflags: number, gtable: bigint): void {
    this.#call('bindMsi', [pirq, gvec, gflags, gtable], () => this.#inner.bindMsi(pirq, gvec, gflags, gtable));
  }

  unbindMsi(pirq: number, gvec: number, gflags: number): void {
    this.#call('unbindMsi', [pirq, gvec, gflags], () => this.#inner.unbindMsi(pirq, gvec, gflags));
  }

  #take(name: CallName, values: readonly unknown[], run: () => number): number {
    this.#intent = { name, values };
    this.#save();
    this.#statistics.activity = name;
    try {
      return run();
    } finally {
      this.#statistics.activity = 'none';
      this.#intent = null;
      this.#changes.value += 1;
    }
  }

  #call(name: CallName, values: readonly unknown[], run: () => void): void {
    const repeated = this.#doubtful !== null && isSame(this.#doubtful, name, values);
    this.#intent = { name, values };
    this.#save();
    this.#statistics.activity = name;
    try {
      run();
    } catch (error) {
      if (!repeated) throw error;
    } finally {
      this.#statistics.activity = 'none';
      this.#intent = null;
      this.#changes.value += 1;
      if (repeated) this.#doubtful = null;
    }
  }

  /** Null for what gives back. */
  #undo(name: CallName, values: never[]): (() => void) | null {
    const inner = this.#inner;
    const [one, two, three] = values as [never, never, never];
    switch (name) {
      case 'claimFunction':
        return () => inner.releaseFunction(one);
      case 'claimMemory':
        return () => inner.releaseMemory(one, two);
      case 'claimPorts':
        return () => inner.releasePorts(one, two);
      case 'mapMemory':
        return () => inner.unmapMemory(one, two, three);
      case 'mapPorts':
        return () => inner.unmapPorts(one, two, three);
      case 'bindIntx':
        return () => inner.unbindIntx(one, two, three);
      case 'mapGsi':
        // A line that is mapped already gives the same number.
        return () => inner.unmapPirq(inner.mapGsi(one));
      case 'mapMsi':
        return () => this.#unmapNamed(one);
      default:
        return null;
    }
  }

  #unmapNamed({ pirq }: MessageRequest): void {
    if (pirq !== anyPirq) this.#inner.unmapPirq(pirq);
  }
}

function isSame(intent: CallIntent, name: CallName, values: readonly unknown[]): boolean {
  return intent.name === name && values.every((value, index) => value === intent.values[index]);
}
