import type { ConfigAccess, Sbdf } from '@xenpt/pci';
import {
  effectTypes,
  type BarPiece,
  type BindMessage,
  type ClaimBar,
  type ClaimRom,
  type ClaimTable,
  type Effect,
  type EffectType,
  type MapBar,
  type MessageKind,
  type UnbindMessages,
  type WriteMessageControl,
} from './effects.js';
import { messageOf } from './errors.js';
import type { Hypervisor } from './hypervisor.js';
import type { ClaimPurpose, HeldMessage, Ledger, PirqBook } from './ledger.js';
import { turnMessagesOff } from './message-control.js';
import { anyPirq, unmaskedFlag } from './message.js';
import type { Report } from './report.js';

export type EffectCounts = Record<EffectType, number>;

export function noEffectCounts(): EffectCounts {
  return Object.fromEntries(effectTypes.map((type) => [type, 0])) as EffectCounts;
}

/** Told whether Xen took a message. */
export interface MessageOutcome {
  settle(kind: MessageKind, entry: number, bound: boolean): void;
}

export interface PerformerOptions {
  readonly sbdf: Sbdf;
  readonly hypervisor: Hypervisor;
  readonly config: ConfigAccess;
  readonly ledger: Ledger;
  readonly pirqs: PirqBook;
  readonly report: Report;
  /** Resets the function and leaves its configuration as the host needs it. Only where the view offers a reset. */
  readonly reset?: () => void;
}

/**
 * Carries out what the engine of one function asks for, and writes in the ledger what came of it. A refusal by Xen ends
 * the effect, not the guest: it is counted, reported and left for the guest's next try.
 */
export class Performer {
  readonly performed = noEffectCounts();
  readonly failed = noEffectCounts();
  readonly #sbdf: Sbdf;
  readonly #hypervisor: Hypervisor;
  readonly #config: ConfigAccess;
  readonly #ledger: Ledger;
  readonly #pirqs: PirqBook;
  readonly #report: Report;
  readonly #reset: (() => void) | undefined;

  constructor(options: PerformerOptions) {
    this.#sbdf = options.sbdf;
    this.#hypervisor = options.hypervisor;
    this.#config = options.config;
    this.#ledger = options.ledger;
    this.#pirqs = options.pirqs;
    this.#report = options.report;
    this.#reset = options.reset;
  }

  perform(effects: readonly Effect[], outcome: MessageOutcome): void {
    for (const effect of effects) {
      let error: unknown;
      try {
        this.#performOne(effect);
        this.performed[effect.type] += 1;
      } catch (thrown) {
        error = thrown;
        this.failed[effect.type] += 1;
        this.#report(effect.type, messageOf(thrown));
      }
      if (effect.type === 'bindMessage') outcome.settle(effect.kind, effect.entry, error === undefined);
    }
  }

  #performOne(effect: Effect): void {
    switch (effect.type) {
      case 'writeConfig':
        return this.#config.write(effect.offset, effect.width, effect.value);
      case 'mapBar':
        return this.#mapBar(effect);
      case 'unmapBar':
        return this.unmapBar(effect.bar);
      case 'claimBar':
        return this.#claim(`bar ${effect.bar}`, effect);
      case 'releaseBar':
        return this.releaseClaims(`bar ${effect.bar}`);
      case 'claimTable':
        return this.#claim('table', effect);
      case 'releaseTable':
        return this.releaseClaims('table');
      case 'claimRom':
        return this.#claim('rom', effect);
      case 'releaseRom':
        return this.releaseClaims('rom');
      case 'bindMessage':
        return this.#bindMessage(effect);
      case 'unbindMessages':
        return this.#unbindMessages(effect);
      case 'writeMessageControl':
        return this.#writeMessageControl(effect);
      case 'resetFunction':
        return this.#resetFunction();
    }
  }

  /** What Xen would not take back keeps the function from being reset: its DMA and messages would meet a stranger. */
  #resetFunction(): void {
    if (this.#reset === undefined) throw new Error('the host has no way to reset this function alone');
    const { bars, stalePieces, claims } = this.#ledger;
    const left = bars.size + stalePieces.length + claims.length + this.#ledger.hardwareEnabled.size;
    if (left > 0) throw new Error('the function is not reset: Xen still holds a part of it');
    this.#reset();
  }

  /** All pieces or none. */
  #mapBar({ bar, pieces }: MapBar): void {
    this.#unmapStale();
    const held: BarPiece[] = [];
    this.#ledger.bars.set(bar, held);
    try {
      for (const piece of pieces) {
        this.#mapPiece(piece);
        held.push(piece);
      }
    } catch (error) {
      new Failures().attempt(() => this.unmapBar(bar));
      throw error;
    }
  }

  /** Unmaps what the ledger holds of the BAR. */
  unmapBar(bar: number): void {
    this.#ledger.stalePieces.push(...(this.#ledger.bars.get(bar) ?? []));
    this.#ledger.bars.delete(bar);
    this.#unmapStale();
  }

  unmapAllBars(): void {
    for (const pieces of this.#ledger.bars.values()) this.#ledger.stalePieces.push(...pieces);
    this.#ledger.bars.clear();
    this.#unmapStale();
  }

  #unmapStale(): void {
    const { stalePieces } = this.#ledger;
    const failures = new Failures();
    for (const piece of [...stalePieces]) {
      if (failures.attempt(() => this.#unmapPiece(piece))) stalePieces.splice(stalePieces.indexOf(piece), 1);
    }
    failures.throwFirst();
  }

  #mapPiece(piece: BarPiece): void {
    if (piece.kind === 'io') this.#hypervisor.mapPorts(piece.guest, piece.machine, piece.count);
    else this.#hypervisor.mapMemory(piece.gfn, piece.mfn, piece.count);
  }

  #unmapPiece(piece: BarPiece): void {
    if (piece.kind === 'io') this.#hypervisor.unmapPorts(piece.guest, piece.machine, piece.count);
    else this.#hypervisor.unmapMemory(piece.gfn, piece.mfn, piece.count);
  }

  /** There is one of each purpose: what is claimed still is a claim that Xen would not take back. */
  #claim(purpose: ClaimPurpose, { start, end }: ClaimBar | ClaimTable | ClaimRom): void {
    this.releaseClaims(purpose);
    this.#hypervisor.claimMemory(start, end);
    this.#ledger.claims.push({ purpose, start, end });
  }

  /** All of them without a purpose. */
  releaseClaims(purpose?: ClaimPurpose): void {
    const { claims } = this.#ledger;
    const errors = new Failures();
    for (const claim of claims.filter((one) => purpose === undefined || one.purpose === purpose)) {
      if (errors.attempt(() => this.#hypervisor.releaseMemory(claim.start, claim.end))) {
        claims.splice(claims.indexOf(claim), 1);
      }
    }
    errors.throwFirst();
  }

  #bindMessage({ kind, entry, message, tableAddress, tableBase }: BindMessage): void {
    if (tableAddress !== 0n && !this.#ledger.claimsAddress(tableAddress)) {
      throw new Error(`entry ${entry} is not bound: accesses to its table do not come here`);
    }
    // Xen keeps one table address for a function while anything is bound.
    for (const other of this.#ledger.messages(kind)) {
      if (other.bound !== null && other.bound.tableAddress !== tableAddress) this.unbindMessage(other);
    }
    const known = this.#ledger.message(kind, entry);
    const held = known ?? this.#mapPirq(kind, entry, message.requestedPirq, tableBase);
    try {
      this.#hypervisor.bindMsi(held.pirq, message.vector, message.flags | unmaskedFlag, tableAddress);
    } catch (error) {
      if (known === undefined) new Failures().attempt(() => this.unmapMessage(held));
      throw error;
    }
    held.bound = { vector: message.vector, flags: message.flags, tableAddress };
  }

  #mapPirq(kind: MessageKind, entry: number, requested: number, tableBase: bigint): HeldMessage {
    // Xen answers "success" for a pirq that is already mapped to something else, and maps nothing.
    const pirqWanted = requested !== anyPirq && this.#pirqs.isFree(requested) ? requested : anyPirq;
    const pirq = this.#hypervisor.mapMsi({ sbdf: this.#sbdf, entry, tableBase, pirq: pirqWanted });
    if (!this.#pirqs.isFree(pirq)) throw new Error(`Xen answered with pirq ${pirq}, which another entry already has`);
    const held: HeldMessage = { kind, entry, pirq, bound: null };
    this.#pirqs.take(pirq);
    this.#ledger.hold(held);
    return held;
  }

  #unbindMessages({ kind, unmap }: UnbindMessages): void {
    const errors = new Failures();
    for (const held of this.#ledger.messages(kind)) {
      errors.attempt(() => {
        this.unbindMessage(held);
        if (unmap) this.unmapMessage(held);
      });
    }
    errors.throwFirst();
  }

  /** Hardware goes off first, if it is on still because the write that should have done it failed. */
  unbindMessage(held: HeldMessage): void {
    if (held.bound === null) return;
    this.turnOff(held.kind);
    this.#hypervisor.unbindMsi(held.pirq, held.bound.vector, held.bound.flags);
    held.bound = null;
  }

  unmapMessage(held: HeldMessage): void {
    this.#hypervisor.unmapPirq(held.pirq);
    this.#pirqs.giveBack(held.pirq);
    this.#ledger.drop(held);
  }

  #writeMessageControl({ kind, offset, value, enables }: WriteMessageControl): void {
    const somethingBound = this.#ledger.messages(kind).some((held) => held.bound !== null);
    if (enables && kind === 'msi' && !somethingBound)
      throw new Error('MSI stays off in hardware: its message is not bound');
    if (enables) this.#ledger.hardwareEnabled.set(kind, offset);
    this.#config.write(offset, 2, value);
    if (!enables) this.#ledger.hardwareEnabled.delete(kind);
  }

  /** Turns a message capability off in hardware if the ledger says it is on. */
  turnOff(kind: MessageKind): void {
    const offset = this.#ledger.hardwareEnabled.get(kind);
    if (offset === undefined) return;
    turnMessagesOff(this.#config, kind, offset);
    this.#ledger.hardwareEnabled.delete(kind);
  }
}

/** Runs every step whatever the others do, and keeps what they threw. */
export class Failures {
  readonly errors: unknown[] = [];

  attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.errors.push(error);
      return false;
    }
  }

  throwFirst(): void {
    if (this.errors.length > 0) throw this.errors[0];
  }
}
