import { compareLocations, formatLocation, type Location } from './location.js';

/** What isolation is judged by. `parent` is the bridge above, by address. */
export interface GroupInput {
  readonly location: Location;
  readonly parent: string | null;
  readonly multifunction: boolean;
  readonly expressType: number | null;
  readonly accessControl: { readonly capability: number; readonly control: number } | null;
}

// PCI Express Base 6.0 §7.5.3.2, device/port types.
const portType = {
  root: 4,
  upstream: 5,
  downstream: 6,
  toConventional: 7,
  toExpress: 8,
  eventCollector: 10,
} as const;

/** §7.7.11.2: source validation, request and completion redirect, upstream forwarding: with them, all goes upwards. */
const isolating = 0b001_1101;

/**
 * Groups by configuration space alone: functions between which a request may pass without the IOMMU seeing it. Xen and
 * Linux know exceptions for devices that isolate without saying so; this is the second opinion, which knows none.
 *
 * @returns by address the members of its group, itself among them, in order
 */
export function accessControlGroups(inputs: readonly GroupInput[]): ReadonlyMap<string, readonly string[]> {
  const sorted = [...inputs].sort((a, b) => compareLocations(a.location, b.location));
  const byAddress = new Map(sorted.map((input) => [formatLocation(input.location), input]));
  const slots = new Map<string, string[]>();
  for (const [address] of byAddress) {
    const slot = address.slice(0, -2);
    slots.set(slot, [...(slots.get(slot) ?? []), address]);
  }
  const sets = new DisjointSets();
  const joined = new Set<string>();
  for (const [address] of byAddress) {
    const top = lastNotIsolated(address, byAddress);
    sets.join(address, top);
    const { multifunction } = byAddress.get(top) ?? { multifunction: false };
    const slot = top.slice(0, -2);
    if (!multifunction || joined.has(slot) || isolates(byAddress.get(top))) continue;
    joined.add(slot);
    for (const other of slots.get(slot) ?? []) {
      if (!isolates(byAddress.get(other))) sets.join(top, other);
    }
  }
  return sets.members([...byAddress.keys()]);
}

/** The function, or the topmost bridge above it below which requests can turn round. */
function lastNotIsolated(address: string, byAddress: ReadonlyMap<string, GroupInput>): string {
  let top = address;
  const visited = new Set([address]);
  let bridge = byAddress.get(address)?.parent ?? null;
  while (bridge !== null && !visited.has(bridge)) {
    visited.add(bridge);
    if (!isolates(byAddress.get(bridge))) top = bridge;
    bridge = byAddress.get(bridge)?.parent ?? null;
  }
  return top;
}

function isolates(input: GroupInput | undefined): boolean {
  if (input === undefined || input.expressType === null) return false;
  const { expressType, multifunction, accessControl } = input;
  const redirects = accessControl !== null && hasAll(accessControl);
  switch (expressType) {
    case portType.toConventional:
    case portType.toExpress:
    case portType.eventCollector:
      return false;
    case portType.root:
    case portType.downstream:
      return redirects;
    default:
      return !multifunction || redirects;
  }
}

/** What the device does not offer, it does not do: §6.12.1 asks for a capability only where there is such traffic. */
function hasAll({ capability, control }: { readonly capability: number; readonly control: number }): boolean {
  const asked = isolating & capability;
  return (control & asked) === asked;
}

/** Whether two groups, each in order, have the same members. */
export function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((address, index) => address === other[index]));
}

class DisjointSets {
  readonly #above = new Map<string, string>();

  join(a: string, b: string): void {
    const [first, second] = [this.#find(a), this.#find(b)];
    if (first !== second) this.#above.set(second, first);
  }

  members(names: readonly string[]): Map<string, readonly string[]> {
    const sets = new Map<string, string[]>();
    for (const name of names) {
      const root = this.#find(name);
      const set = sets.get(root);
      if (set === undefined) sets.set(root, [name]);
      else set.push(name);
    }
    return new Map(names.map((name) => [name, sets.get(this.#find(name)) ?? [name]]));
  }

  #find(name: string): string {
    let root = name;
    for (let above = this.#above.get(root); above !== undefined; above = this.#above.get(root)) root = above;
    if (root !== name) this.#above.set(name, root);
    return root;
  }
}
