import type { BarPiece, MessageKind } from './effects.js';

export interface HeldMessage {
  readonly kind: MessageKind;
  readonly entry: number;
  readonly pirq: number;
  /** Entries mapped together with this one, which is their first; 0 for those that are not the first. */
  readonly groupSize: number;
  /** What Xen was given in the last successful bind, or null. */
  bound: { readonly vector: number; readonly flags: number; readonly tableAddress: bigint } | null;
}

export interface HeldIntx {
  readonly gsi: number;
  readonly pirq: number;
  readonly guestDevice: number;
  readonly intx: number;
  bound: boolean;
}

/**
 * What of a function is served access by access: the pages of its MSI-X table, an expansion ROM from a file, a BAR that
 * is mapped when it is touched, its table included. Stale is what Xen would not let go of when it was left; nothing is
 * mapped or claimed before that is gone.
 */
export type ClaimPurpose = 'table' | 'rom' | `bar ${number}` | 'stale';

export interface ClaimedMemory {
  readonly purpose: ClaimPurpose;
  readonly start: bigint;
  readonly end: bigint;
}

/** A ledger as it outlives the process. */
export interface LedgerSaved {
  readonly guestDevfn: number | null;
  readonly intx: HeldIntx | null;
  readonly commandBits: number;
  readonly commandTouched: boolean;
  readonly claims: readonly ClaimedMemory[];
  readonly bars: ReadonlyMap<number, BarPiece[]>;
  readonly stalePieces: readonly BarPiece[];
  readonly hardwareEnabled: ReadonlyMap<MessageKind, number>;
  readonly messages: readonly HeldMessage[];
}

/**
 * What one function holds of the hypervisor and has changed in hardware. An entry is made after the call that takes
 * succeeded and removed after the call that gives back succeeded, so that release needs no other source.
 */
export class Ledger {
  guestDevfn: number | null = null;
  intx: HeldIntx | null = null;
  /** Decode bits of hardware COMMAND that were off and are on because of us. */
  commandBits = 0;
  /** Hardware COMMAND has been touched; bus master and INTx are to be left off. */
  commandTouched = false;
  readonly claims: ClaimedMemory[] = [];
  readonly bars = new Map<number, BarPiece[]>();
  /** Pieces that Xen would not take back when their BAR moved; nothing is mapped before they are gone. */
  readonly stalePieces: BarPiece[] = [];
  /** Message capabilities that are on in hardware, each with the offset of its control register. */
  readonly hardwareEnabled = new Map<MessageKind, number>();
  readonly #messages = new Map<string, HeldMessage>();

  get saved(): LedgerSaved {
    const { guestDevfn, intx, commandBits, commandTouched, claims, bars, stalePieces, hardwareEnabled } = this;
    const messages = [...this.#messages.values()];
    return { guestDevfn, intx, commandBits, commandTouched, claims, bars, stalePieces, hardwareEnabled, messages };
  }

  /** Into an empty one. */
  restore(saved: LedgerSaved, pirqs: PirqBook): void {
    const { intx } = saved;
    this.guestDevfn = saved.guestDevfn;
    this.intx = intx;
    this.commandBits = saved.commandBits;
    this.commandTouched = saved.commandTouched;
    this.claims.push(...saved.claims);
    this.stalePieces.push(...saved.stalePieces);
    for (const [bar, pieces] of saved.bars) this.bars.set(bar, pieces);
    for (const [kind, offset] of saved.hardwareEnabled) this.hardwareEnabled.set(kind, offset);
    for (const message of saved.messages) {
      this.hold(message);
      pirqs.take(message.pirq);
    }
    if (intx !== null) pirqs.useLine(intx.gsi, () => intx.pirq);
  }

  message(kind: MessageKind, entry: number): HeldMessage | undefined {
    return this.#messages.get(`${kind} ${entry}`);
  }

  /** A copy: entries may be dropped while it is walked. */
  messages(kind: MessageKind): HeldMessage[] {
    return [...this.#messages.values()].filter((message) => message.kind === kind);
  }

  hold(message: HeldMessage): void {
    this.#messages.set(`${message.kind} ${message.entry}`, message);
  }

  drop(message: HeldMessage): void {
    this.#messages.delete(`${message.kind} ${message.entry}`);
  }

  /** Whether accesses to the page of this address come to us. */
  claimsAddress(address: bigint): boolean {
    return this.claims.some(({ purpose, start, end }) => purpose !== 'rom' && start <= address && address <= end);
  }

  get isEmpty(): boolean {
    return this.describe().length === 0;
  }

  /** One phrase for each thing still held. */
  describe(): string[] {
    const left: string[] = [];
    if (this.guestDevfn !== null) left.push(`guest function ${formatDevfn(this.guestDevfn)} claimed`);
    for (const { start, end } of this.claims) left.push(`memory ${hex(start)}-${hex(end)} claimed`);
    for (const kind of this.hardwareEnabled.keys()) left.push(`${kind} enabled in hardware`);
    for (const { kind, entry, pirq, bound } of this.#messages.values()) {
      left.push(`pirq ${pirq} ${bound === null ? 'mapped' : 'bound'} for ${kind} entry ${entry}`);
    }
    if (this.intx !== null) left.push(`pirq ${this.intx.pirq} ${this.intx.bound ? 'bound' : 'mapped'} for INTx`);
    for (const [bar, pieces] of this.bars) left.push(`BAR ${bar} mapped in ${pieces.length} piece(s)`);
    if (this.stalePieces.length > 0) left.push(`${this.stalePieces.length} piece(s) of BARs that moved mapped`);
    if (this.commandTouched) left.push('COMMAND changed in hardware');
    return left;
  }
}

/**
 * pirqs of one domain, over all functions of a model. A line can be shared by functions, so it is counted; a message
 * pirq belongs to one entry, and a guest may not ask for one that another entry has.
 */
export class PirqBook {
  readonly #messagePirqs = new Set<number>();
  readonly #lines = new Map<number, { readonly pirq: number; users: number }>();

  isFree(pirq: number): boolean {
    return !this.#messagePirqs.has(pirq) && ![...this.#lines.values()].some((line) => line.pirq === pirq);
  }

  take(pirq: number): void {
    this.#messagePirqs.add(pirq);
  }

  giveBack(pirq: number): void {
    this.#messagePirqs.delete(pirq);
  }

  /** Calls `map` for the first user of the line only. */
  useLine(gsi: number, map: () => number): number {
    const known = this.#lines.get(gsi);
    if (known !== undefined) {
      known.users += 1;
      return known.pirq;
    }
    const pirq = map();
    this.#lines.set(gsi, { pirq, users: 1 });
    return pirq;
  }

  /** Calls `unmap` for the last user of the line only. */
  leaveLine(gsi: number, unmap: (pirq: number) => void): void {
    const line = this.#lines.get(gsi);
    if (line === undefined) return;
    if (line.users === 1) {
      unmap(line.pirq);
      this.#lines.delete(gsi);
    } else {
      line.users -= 1;
    }
  }
}

/** `05.0` */
export function formatDevfn(devfn: number): string {
  return `${(devfn >>> 3).toString(16).padStart(2, '0')}.${devfn & 7}`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
