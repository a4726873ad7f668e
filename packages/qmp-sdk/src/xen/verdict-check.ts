import {
  evaluate,
  type Finding,
  formatSbdf,
  type HostInventory,
  type OwnedFunction,
  rules,
  type Sbdf,
} from '@xenpt/pci';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import { type Inventory, listInventory } from './inventory.js';
import { type JournalContents, type Override, overrides } from './journal.js';

/** Which rules each override sets aside. What no override names, nothing sets aside. */
const rulesOf: Readonly<Record<Override, readonly string[]>> = {
  'accept-siblings': ['group-incomplete', 'bus-shared'],
  'allow-critical': ['boot-disk', 'management-route', 'only-display'],
  'no-reset-ok': ['no-reset'],
};

/** For who knows these causes by another code, and its exit code, already. */
const codes: Readonly<Record<string, XenErrorCode>> = {
  'iommu-off': XenErrorCode.noIommu,
  'reserved-memory': XenErrorCode.reservedMemory,
  'not-answering': XenErrorCode.deviceBroken,
  'identity-changed': XenErrorCode.identityChanged,
};

/** A rule that calls a function not assignable. */
export interface Reason extends Pick<Finding, 'rule' | 'message' | 'evidence' | 'fix'> {
  /** Why it happens, in general. */
  readonly cause: string;
  /** What sets it aside; null: nothing does. */
  readonly override: Override | null;
}

/** A reason that the operator has set aside. */
export type SetAside = Reason & { readonly override: Override };

/** The rules of the inventory call the function not assignable. */
export class RefusedByRules extends XenOperationError {
  readonly reasons: readonly Reason[];

  constructor(name: string, reasons: readonly Reason[]) {
    const [first] = reasons;
    const needed = [...new Set(reasons.map(({ override }) => override))];
    const final = reasons.find(({ override }) => override === null);
    super(
      final === undefined ? XenErrorCode.needsOverride : (codes[final.rule] ?? XenErrorCode.refusedByRule),
      `${name} is not assignable: ${first?.message ?? ''}`,
      {
        next:
          final === undefined
            ? `Remove the cause, or take the risk with ${needed.map((override) => `--${override ?? ''}`).join(' ')}.`
            : `See \`xenpt explain ${final.rule}\`; nothing sets this aside.`,
      },
    );
    this.name = 'RefusedByRules';
    this.reasons = reasons;
  }
}

export interface Intention {
  readonly overrides: readonly Override[];
  /** Others that go the same way now, by address. */
  readonly together?: readonly string[];
  /** The guest that it is for. */
  readonly domain?: { readonly domid: number; readonly name: string };
}

/**
 * Asks the rules whether the function can go where it is meant to go.
 *
 * @returns what the overrides have set aside
 * @throws RefusedByRules
 */
export function requireVerdict(host: XenHost, sbdf: Sbdf, intention: Intention): readonly SetAside[] {
  const name = formatSbdf(sbdf);
  const { functions } = evaluate(asIntended(listInventory(host, { names: false }), name, intention));
  const reasons = (functions.get(name)?.findings ?? []).filter(({ effect }) => effect === 'blocks').map(toReason);
  const given: ReadonlySet<Override | null> = new Set(intention.overrides);
  const refused = reasons.filter(({ override }) => !given.has(override));
  if (refused.length > 0) throw new RefusedByRules(name, refused);
  return reasons.filter((reason): reason is SetAside => reason.override !== null);
}

/** What the operator has set aside when the function was made assignable; it holds for the guest that gets it, too. */
export function acceptedOverrides(
  { records }: JournalContents,
  { bootId }: { readonly bootId: string },
  sbdf: string,
): readonly Override[] {
  const last = records.findLast((record) => record.sbdf === sbdf && record.state === 'done');
  return last?.kind === 'assignable-add' && last.bootId === bootId ? last.overrides : [];
}

/** The host as it will be: who goes along is held too, and the guest has the function. */
function asIntended(inventory: Inventory, name: string, { together = [], domain }: Intention): HostInventory {
  const functions = inventory.functions.map((fn): OwnedFunction => {
    if (fn.address === name) {
      if (domain === undefined) return fn;
      return { ...fn, owner: { kind: 'domain', domid: domain.domid, domainName: domain.name, guestSbdf: null } };
    }
    return together.includes(fn.address) ? { ...fn, driver: 'pciback', owner: { kind: 'assignable' } } : fn;
  });
  return { host: inventory.host, functions, byAddress: new Map(functions.map((fn) => [fn.address, fn])) };
}

function toReason({ rule, message, evidence, fix }: Finding): Reason {
  const cause = rules.find(({ id }) => id === rule)?.cause ?? '';
  const override = overrides.find((name) => rulesOf[name].includes(rule)) ?? null;
  return { rule, message, cause, evidence, fix, override };
}
