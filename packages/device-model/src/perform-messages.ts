import type { ConfigAccess, Sbdf } from '@xenpt/pci';
import type { BindMessage, MapMessages, MessageKind, UnbindMessage, WriteMessageControl } from './effects.js';
import { Failures } from './failures.js';
import type { Hypervisor } from './hypervisor.js';
import type { HeldMessage, Ledger, PirqBook } from './ledger.js';
import { turnMessagesOff } from './message-control.js';
import { anyPirq, unmaskedFlag } from './message.js';
import type { Statistics } from './statistics.js';

export interface MessagePerformerOptions {
  readonly sbdf: Sbdf;
  readonly hypervisor: Hypervisor;
  readonly config: ConfigAccess;
  readonly ledger: Ledger;
  readonly pirqs: PirqBook;
  readonly statistics: Statistics;
}

/** Carries out what concerns message interrupts. What is mapped and bound is in the ledger, and nowhere else. */
export class MessagePerformer {
  readonly #options: MessagePerformerOptions;

  constructor(options: MessagePerformerOptions) {
    this.#options = options;
  }

  /** All vectors of MSI, with pirqs that are neighbours. */
  mapAll({ vectorCount, requestedPirq }: MapMessages): void {
    const known = this.#options.ledger.message('msi', 0);
    if (known?.groupSize === vectorCount) return;
    if (known !== undefined) this.releaseAll('msi', true);
    this.#map('msi', 0, vectorCount, requestedPirq, 0n);
  }

  bind({ kind, entry, message, tableAddress, tableBase }: BindMessage): void {
    const { hypervisor, ledger, statistics } = this.#options;
    if (tableAddress !== 0n && !ledger.claimsAddress(tableAddress)) {
      throw new Error(`entry ${entry} is not bound: accesses to its table do not come here`);
    }
    this.#leaveOtherTables(kind, tableAddress);
    const known = this.#usable(kind, entry, message.requestedPirq);
    if (known === undefined && kind === 'msi') throw new Error(`MSI vector ${entry} is not bound: it has no pirq`);
    const held = known ?? this.#map(kind, entry, 1, message.requestedPirq, tableBase);
    try {
      hypervisor.bindMsi(held.pirq, message.vector, message.flags | unmaskedFlag, tableAddress);
    } catch (error) {
      if (known === undefined) new Failures().attempt(() => this.#unmap(held));
      throw error;
    }
    held.bound = { vector: message.vector, flags: message.flags, tableAddress };
    statistics.countInterrupt(kind);
  }

  unbind({ kind, entry }: UnbindMessage): void {
    const held = this.#options.ledger.message(kind, entry);
    if (held !== undefined) this.#unbind(held);
  }

  /**
   * Unbinds every entry of the kind; with `unmap` gives its pirqs back too. Hardware goes off first, if it is on still
   * because the write that should have done it failed.
   */
  releaseAll(kind: MessageKind, unmap: boolean): void {
    const failures = new Failures();
    const held = this.#options.ledger.messages(kind);
    if (held.some(({ bound }) => bound !== null)) this.turnOff(kind);
    for (const one of held) failures.attempt(() => this.#unbind(one));
    if (unmap) for (const one of held) failures.attempt(() => this.#unmap(one));
    failures.throwFirst();
  }

  writeControl({ kind, offset, value, enables, requires }: WriteMessageControl): void {
    const { config, ledger } = this.#options;
    if (enables) this.#requireReady(kind, requires);
    if (enables) ledger.hardwareEnabled.set(kind, offset);
    config.write(offset, 2, value);
    if (!enables) ledger.hardwareEnabled.delete(kind);
  }

  /** Turns a message capability off in hardware if the ledger says it is on. */
  turnOff(kind: MessageKind): void {
    const { config, ledger } = this.#options;
    const offset = ledger.hardwareEnabled.get(kind);
    if (offset === undefined) return;
    turnMessagesOff(config, kind, offset);
    ledger.hardwareEnabled.delete(kind);
  }

  #requireReady(kind: MessageKind, requires: WriteMessageControl['requires']): void {
    if (requires === 'nothing') return;
    const held = this.#options.ledger.messages(kind);
    if (held.length === 0) throw new Error(`${kind} stays off in hardware: it has no pirq`);
    if (requires === 'bound' && held.some(({ bound }) => bound === null)) {
      throw new Error(`${kind} stays off in hardware: not every message is bound`);
    }
  }

  /** Xen keeps one table address for a function while anything is bound. */
  #leaveOtherTables(kind: MessageKind, tableAddress: bigint): void {
    for (const other of this.#options.ledger.messages(kind)) {
      if (other.bound === null || other.bound.tableAddress === tableAddress) continue;
      this.turnOff(kind);
      this.#unbind(other);
    }
  }

  /** What is mapped for the entry, unless the guest now names another pirq: its event would come there alone. */
  #usable(kind: MessageKind, entry: number, requestedPirq: number): HeldMessage | undefined {
    const { ledger, pirqs } = this.#options;
    const held = ledger.message(kind, entry);
    if (held === undefined || kind === 'msi') return held;
    if (requestedPirq === anyPirq || requestedPirq === held.pirq || !pirqs.isFree(requestedPirq)) return held;
    this.#unbind(held);
    this.#unmap(held);
    return undefined;
  }

  #map(kind: MessageKind, entry: number, vectorCount: number, requested: number, tableBase: bigint): HeldMessage {
    const { hypervisor, ledger, pirqs, sbdf } = this.#options;
    // Xen answers "success" for a pirq that is already mapped to something else, and maps nothing.
    const wanted = vectorCount === 1 && requested !== anyPirq && pirqs.isFree(requested) ? requested : anyPirq;
    const first = hypervisor.mapMsi({ sbdf, entry, tableBase, pirq: wanted, vectorCount });
    const group = Array.from({ length: vectorCount }, (_, index) => first + index);
    const taken = group.find((pirq) => !pirqs.isFree(pirq));
    if (taken !== undefined) throw new Error(`Xen answered with pirq ${taken}, which another entry already has`);
    for (const [index, pirq] of group.entries()) {
      pirqs.take(pirq);
      ledger.hold({ kind, entry: entry + index, pirq, groupSize: index === 0 ? vectorCount : 0, bound: null });
    }
    const held = ledger.message(kind, entry);
    if (held === undefined) throw new Error(`nothing is mapped for ${kind} entry ${entry}`);
    return held;
  }

  #unbind(held: HeldMessage): void {
    if (held.bound === null) return;
    this.#options.hypervisor.unbindMsi(held.pirq, held.bound.vector, held.bound.flags);
    held.bound = null;
  }

  /** A group goes with its first entry. */
  #unmap(held: HeldMessage): void {
    if (held.groupSize === 0) return;
    const { hypervisor, ledger, pirqs } = this.#options;
    const group = ledger
      .messages(held.kind)
      .filter(({ entry }) => entry >= held.entry && entry < held.entry + held.groupSize);
    const bound = group.find((one) => one.bound !== null);
    if (bound !== undefined) throw new Error(`pirq ${bound.pirq} stays mapped: it is bound`);
    hypervisor.unmapPirq(held.pirq);
    for (const one of group) {
      pirqs.giveBack(one.pirq);
      ledger.drop(one);
    }
  }
}
