import { compareLocations, formatLocation, type Location } from './location.js';

/** What the tree is built from. `link` is the target of the function's link in sysfs, where it is one. */
export interface TopologyInput {
  readonly location: Location;
  readonly link: string | null;
  readonly buses: { readonly secondary: number; readonly subordinate: number } | null;
}

export interface TopologyEntry {
  /** The bridge above; null on a root bus. */
  readonly parent: string | null;
  /** `0000:00/1c.0/00.0`: the root bus, then device and function of each bridge and of the function itself. */
  readonly path: string;
}

const addressPattern = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/**
 * Who is behind whom, by address. sysfs's links say it; in a tree that was copied without links, the bus numbers of the
 * bridges do. A chain that leads back to itself, as only a broken tree has it, ends there.
 */
export function buildTopology(inputs: readonly TopologyInput[]): ReadonlyMap<string, TopologyEntry> {
  const byAddress = new Map(inputs.map((input) => [formatLocation(input.location), input]));
  const bridges = inputs
    .filter(({ buses }) => buses !== null)
    .sort((a, b) => compareLocations(a.location, b.location));
  const owners = ownersOfBuses(bridges);
  const parents = new Map<string, string | null>();
  for (const [address, input] of byAddress) {
    const linked = parentFromLink(input.link, address, byAddress);
    parents.set(address, linked === undefined ? parentFromBuses(input.location, address, owners) : linked);
  }
  const paths = new Map<string, TopologyEntry>();
  for (const [address, { location }] of byAddress) {
    paths.set(address, { parent: parents.get(address) ?? null, path: pathOf(address, location, parents, byAddress) });
  }
  return paths;
}

/** Null: on a root bus. Undefined: the link does not say. */
function parentFromLink(
  link: string | null,
  address: string,
  known: ReadonlyMap<string, unknown>,
): string | null | undefined {
  const parts = link?.split('/') ?? [];
  if (parts.length < 2 || parts.at(-1) !== address) return undefined;
  const above = parts.at(-2) ?? '';
  if (addressPattern.test(above)) return known.has(above) ? above : undefined;
  return /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/.test(above) ? null : undefined;
}

/** The innermost bridge of each bus, as its secondary bus and, for virtual functions on later buses, up to the last. */
function ownersOfBuses(bridges: readonly TopologyInput[]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  // Outer bridges have the wider ranges: writing them first lets the inner ones overwrite them.
  const width = ({ buses }: TopologyInput): number => (buses === null ? 0 : buses.subordinate - buses.secondary);
  for (const bridge of [...bridges].sort((a, b) => width(b) - width(a))) {
    const { buses, location } = bridge;
    if (buses === null || buses.secondary === 0 || buses.secondary <= location.bus) continue;
    const last = Math.max(buses.secondary, Math.min(buses.subordinate, 0xff));
    for (let bus = buses.secondary; bus <= last; bus += 1) {
      owners.set(`${location.segment}:${bus}`, formatLocation(location));
    }
  }
  return owners;
}

function parentFromBuses(location: Location, address: string, owners: ReadonlyMap<string, string>): string | null {
  const owner = owners.get(`${location.segment}:${location.bus}`) ?? null;
  return owner === address ? null : owner;
}

function pathOf(
  address: string,
  location: Location,
  parents: ReadonlyMap<string, string | null>,
  byAddress: ReadonlyMap<string, TopologyInput>,
): string {
  const steps: string[] = [];
  const visited = new Set<string>();
  let current: string | null = address;
  let top = location;
  while (current !== null && !visited.has(current)) {
    visited.add(current);
    const { location: here } = byAddress.get(current) ?? { location };
    top = here;
    steps.unshift(`${here.device.toString(16).padStart(2, '0')}.${here.function}`);
    current = parents.get(current) ?? null;
  }
  const segment = top.segment.toString(16).padStart(4, '0');
  return [`${segment}:${top.bus.toString(16).padStart(2, '0')}`, ...steps].join('/');
}
