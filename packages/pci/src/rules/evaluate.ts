import type { HostInventory, OwnedFunction } from '../inventory/host-facts.js';
import { rules } from './index.js';
import { type Effect, type FunctionRule, isWanted, type RuleHit, type RuleText, type Severity } from './rule.js';

export type Verdict = 'assignable' | 'with-warning' | 'not-assignable';

/** One thing that one rule found. */
export interface Finding {
  /** Id of the rule. */
  readonly rule: string;
  readonly title: string;
  readonly scope: 'function' | 'host' | 'guest';
  /** The address of a function, the name of a guest, or `host`. */
  readonly subject: string;
  readonly severity: Severity;
  readonly effect: Effect;
  readonly message: string;
  readonly evidence: readonly string[];
  readonly fix: string | null;
}

export interface FunctionVerdict {
  readonly verdict: Verdict;
  /** Of the function itself, and those of the host that concern every function. */
  readonly findings: readonly Finding[];
}

export interface Evaluation {
  /** By address. */
  readonly functions: ReadonlyMap<string, FunctionVerdict>;
  /** Everything, what hurts most first. */
  readonly findings: readonly Finding[];
}

const severities: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };
const functionRules = rules.filter((rule): rule is FunctionRule => rule.scope === 'function');
const order = new Map(rules.map(({ id }, index) => [id, index]));

/** Applies every rule to a host. */
export function evaluate(inventory: HostInventory): Evaluation {
  const ofHost = rules.flatMap((rule) =>
    rule.scope === 'host' ? rule.check(inventory).map((hit) => toFinding(rule, 'host', hit, true)) : [],
  );
  const ofGuests = inventory.host.guestConfigs.flatMap((guest) =>
    rules.flatMap((rule) =>
      rule.scope === 'guest' ? rule.check(guest, inventory).map((hit) => toFinding(rule, guest.name, hit, true)) : [],
    ),
  );
  const general = ofHost.filter(({ effect }) => effect !== 'none');
  const functions = new Map<string, FunctionVerdict>();
  const ofFunctions: Finding[] = [];
  for (const fn of inventory.functions) {
    const own = checkFunction(fn, inventory);
    ofFunctions.push(...own);
    const findings = [...own, ...general];
    functions.set(fn.address, { verdict: verdictOf(findings), findings });
  }
  let sorted: readonly Finding[] | undefined;
  return {
    functions,
    // Who asks for the functions alone does not wait for the order of everything.
    get findings() {
      return (sorted ??= [...ofHost, ...ofFunctions, ...ofGuests].sort((a, b) => rankOf(a) - rankOf(b)));
    },
  };
}

function rankOf({ severity, rule }: Finding): number {
  return severities[severity] * rules.length + (order.get(rule) ?? 0);
}

function checkFunction(fn: OwnedFunction, inventory: HostInventory): Finding[] {
  const wanted = isWanted(fn);
  const found: Finding[] = [];
  for (const rule of functionRules) {
    for (const hit of rule.check(fn, inventory)) found.push(toFinding(rule, fn.address, hit, wanted));
  }
  return found;
}

function toFinding(
  { id, title, scope }: RuleText & Pick<Finding, 'scope'>,
  subject: string,
  hit: RuleHit,
  wanted: boolean,
): Finding {
  const { effect, severity } = hit;
  const byEffect: Severity = !wanted || effect === 'none' ? 'info' : effect === 'blocks' ? 'error' : 'warning';
  return {
    ...{ rule: id, title, scope, subject, severity: severity ?? byEffect, effect },
    // Words come when they are asked for: a list of a thousand functions has none of them.
    get message() {
      return hit.message;
    },
    get evidence() {
      return hit.evidence;
    },
    get fix() {
      return hit.fix;
    },
  };
}

function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ effect }) => effect === 'blocks')) return 'not-assignable';
  return findings.some(({ effect }) => effect === 'warns') ? 'with-warning' : 'assignable';
}
