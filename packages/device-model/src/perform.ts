import type { ConfigAccess, Sbdf } from '@xenpt/pci';
import {
  noEffects,
  type BarPiece,
  type ClaimBar,
  type ClaimRom,
  type ClaimTable,
  type Effect,
  type MapBar,
  type MessageKind,
} from './effects.js';
import { messageOf } from './errors.js';
import { Failures } from './failures.js';
import type { Hypervisor } from './hypervisor.js';
import type { ClaimPurpose, Ledger, PirqBook } from './ledger.js';
import { MessagePerformer } from './perform-messages.js';
import type { Report } from './report.js';
import type { Statistics } from './statistics.js';

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
  readonly statistics: Statistics;
  /** Resets the function and leaves its configuration as the host needs it. Only where the view offers a reset. */
  readonly reset?: () => void;
}

/**
 * Carries out what the engine of one function asks for, and writes in the ledger what came of it. A refusal by Xen ends
 * the effect, not the guest: it is counted, reported and left for the guest's next try.
 */
export class Performer {
  readonly messages: MessagePerformer;
  #effects: readonly Effect[] = noEffects;
  #current = 0;
  readonly #hypervisor: Hypervisor;
  readonly #config: ConfigAccess;
  readonly #ledger: Ledger;
  readonly #report: Report;
  readonly #statistics: Statistics;
  readonly #reset: (() => void) | undefined;

  constructor(options: PerformerOptions) {
    this.messages = new MessagePerformer(options);
    this.#hypervisor = options.hypervisor;
    this.#config = options.config;
    this.#ledger = options.ledger;
    this.#report = options.report;
    this.#statistics = options.statistics;
    this.#reset = options.reset;
  }

  /** What is being done, and what is to be done after it. */
  get pending(): readonly Effect[] {
    return this.#effects.slice(this.#current);
  }

  /** What a former process has left to do. */
  set pending(effects: readonly Effect[]) {
    this.#effects = effects;
    this.#current = 0;
  }

  perform(effects: readonly Effect[], outcome: MessageOutcome): void {
    this.#effects = effects;
    this.#current = -1;
    for (const effect of effects) {
      this.#current += 1;
      let error: unknown;
      try {
        this.#performOne(effect);
      } catch (thrown) {
        error = thrown;
        this.#report(effect.type, messageOf(thrown));
      }
      this.#statistics.countEffect(effect.type, error === undefined);
      if (effect.type === 'bindMessage') outcome.settle(effect.kind, effect.entry, error === undefined);
    }
    this.pending = noEffects;
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
      case 'mapMessages':
        return this.messages.mapAll(effect);
      case 'bindMessage':
        return this.messages.bind(effect);
      case 'unbindMessage':
        return this.messages.unbind(effect);
      case 'unbindMessages':
        return this.messages.releaseAll(effect.kind, effect.unmap);
      case 'writeMessageControl':
        return this.messages.writeControl(effect);
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
    this.#statistics.activity = 'resetFunction';
    try {
      this.#reset();
    } finally {
      this.#statistics.activity = 'none';
    }
  }

  /** All pieces or none. */
  #mapBar({ bar, pieces }: MapBar): void {
    // A former process may have come half way.
    this.unmapBar(bar);
    this.releaseClaims('stale');
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

  /** What Xen would not take back at an old place goes first, as before a mapping: it may be this one. */
  #claim(purpose: ClaimPurpose, { start, end }: ClaimBar | ClaimTable | ClaimRom): void {
    this.#unmapStale();
    this.releaseClaims('stale');
    this.#hypervisor.claimMemory(start, end);
    this.#ledger.claims.push({ purpose, start, end });
  }

  /** All of them without a purpose. */
  releaseClaims(purpose?: ClaimPurpose): void {
    const { claims } = this.#ledger;
    const errors = new Failures();
    for (const claim of claims.filter((one) => purpose === undefined || one.purpose === purpose)) {
      const isReleased = errors.attempt(() => this.#hypervisor.releaseMemory(claim.start, claim.end));
      claims.splice(claims.indexOf(claim), 1, ...(isReleased ? [] : [{ ...claim, purpose: 'stale' as const }]));
    }
    errors.throwFirst();
  }
}
