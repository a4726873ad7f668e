import { isBridge } from '../inventory/function-record.js';
import type { GuestConfig, HostInventory, OwnedFunction } from '../inventory/host-facts.js';

/** What a finding means for giving the function to a guest. */
export type Effect = 'blocks' | 'warns' | 'none';
export type Severity = 'error' | 'warning' | 'info';

/**
 * What a rule has found: where it applies, and why. Words that take many functions to make are getters: whoever lists a
 * thousand functions reads none.
 */
export interface RuleHit {
  readonly effect: Effect;
  /**
   * How much it hurts whoever wants the function. Left out: as much as its effect where somebody wants to pass the
   * function through, and nothing where nobody does.
   */
  readonly severity?: Severity;
  /** One sentence with the values that decided. */
  readonly message: string;
  /** Where those values stand: files, registers, lines. */
  readonly evidence: readonly string[];
  /** A command or a line of configuration, ready to use; null: nothing on this host helps. */
  readonly fix: string | null;
}

/** What `xenpt explain` says, without a host. */
export interface RuleText {
  /** Stable: programs and documents refer to it. */
  readonly id: string;
  readonly title: string;
  /** Why it happens. */
  readonly cause: string;
  /** What it does to who goes on. */
  readonly consequence: string;
  /** What to do, in general. */
  readonly remedy: string;
}

export interface FunctionRule extends RuleText {
  readonly scope: 'function';
  readonly check: (fn: OwnedFunction, inventory: HostInventory) => readonly RuleHit[];
}

export interface HostRule extends RuleText {
  readonly scope: 'host';
  readonly check: (inventory: HostInventory) => readonly RuleHit[];
}

export interface GuestRule extends RuleText {
  readonly scope: 'guest';
  readonly check: (guest: GuestConfig, inventory: HostInventory) => readonly RuleHit[];
}

export type Rule = FunctionRule | HostRule | GuestRule;

/** Drivers that hold a function for a guest. */
const holders: readonly string[] = ['pciback', 'vfio-pci', 'xen-pciback'];

export function isHeldForGuests({ driver }: OwnedFunction): boolean {
  return driver !== null && holders.includes(driver);
}

/** Whether somebody means to pass it through: it is held for that, a guest has it, or a configuration names it. */
export function isWanted(fn: OwnedFunction): boolean {
  return isHeldForGuests(fn) || fn.owner.kind === 'domain' || fn.wantedBy.length > 0;
}

/** The other endpoints among `addresses`. */
export function otherEndpoints(
  fn: OwnedFunction,
  addresses: readonly string[],
  { byAddress }: HostInventory,
): OwnedFunction[] {
  // In one go: behind one port there may be hundreds, each of which looks at all the others.
  const others: OwnedFunction[] = [];
  for (const address of addresses) {
    const other = address === fn.address ? undefined : byAddress.get(address);
    if (other !== undefined && !isBridge(other)) others.push(other);
  }
  return others;
}

/** Whether `other` does not stay behind when `fn` goes to a guest: it is with the same guest, or waits for one. */
export function goesAlong({ owner }: OwnedFunction, other: OwnedFunction): boolean {
  if (other.owner.kind !== 'domain') return isHeldForGuests(other);
  return owner.kind === 'domain' && owner.domid === other.owner.domid;
}

/** The command that takes those, and the function itself where it is not taken yet. */
export function addCommand(fn: OwnedFunction, others: readonly OwnedFunction[]): string {
  const all = isHeldForGuests(fn) ? others : [fn, ...others];
  return `xenpt assignable add ${all.map(({ address }) => address).join(' ')}`;
}

/** `0000:02:00.1 (snd_hda_intel)`. */
export function nameWithDriver({ address, driver }: OwnedFunction): string {
  return `${address} (${driver ?? 'no driver'})`;
}

export function deviceFile({ address }: Pick<OwnedFunction, 'address'>, name: string): string {
  return `/sys/bus/pci/devices/${address}/${name}`;
}
