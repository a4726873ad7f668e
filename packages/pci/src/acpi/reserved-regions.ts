import { formatLocation, type Location } from '../inventory/location.js';
import type { ReservedRegion } from '../inventory/function-record.js';
import type { DeviceScope, DmarTable } from './dmar.js';
import type { IvrsTable } from './ivrs.js';

/** A function as a scope is resolved against it. */
export interface ScopeTarget {
  readonly location: Location;
  readonly parent: string | null;
  readonly secondaryBus: number | null;
}

export interface FirmwareTables {
  readonly dmar: DmarTable | null;
  readonly ivrs: IvrsTable | null;
}

/** The reserved regions of each function, by address; functions without one are left out. */
export function assignReservedRegions(
  { dmar, ivrs }: FirmwareTables,
  targets: readonly ScopeTarget[],
): ReadonlyMap<string, readonly ReservedRegion[]> {
  const regions = new Map<string, ReservedRegion[]>();
  if (dmar === null && ivrs === null) return regions;
  const add = (address: string, region: ReservedRegion): void => {
    const known = regions.get(address) ?? [];
    if (known.some(({ start, end }) => start === region.start && end === region.end)) return;
    regions.set(address, [...known, region]);
  };
  const index = new TargetIndex(targets);
  for (const { start, end, scopes } of dmar?.reservedRegions ?? []) {
    for (const scope of scopes)
      for (const address of index.resolve(scope)) add(address, { start, end, source: 'dmar' });
  }
  for (const { start, end, segment, firstDeviceId, lastDeviceId } of ivrs?.unityRegions ?? []) {
    for (const { location } of targets) {
      const deviceId = (location.bus << 8) | (location.device << 3) | location.function;
      if (location.segment !== segment || deviceId < firstDeviceId || deviceId > lastDeviceId) continue;
      add(formatLocation(location), { start, end, source: 'ivrs' });
    }
  }
  return regions;
}

class TargetIndex {
  readonly #byAddress: ReadonlyMap<string, ScopeTarget>;
  readonly #children = new Map<string, string[]>();

  constructor(targets: readonly ScopeTarget[]) {
    this.#byAddress = new Map(targets.map((target) => [formatLocation(target.location), target]));
    for (const [address, { parent }] of this.#byAddress) {
      if (parent !== null) this.#children.set(parent, [...(this.#children.get(parent) ?? []), address]);
    }
  }

  /** Follows the path through the bridges that are there; a path into nothing names nobody. */
  resolve({ segment, startBus, path, kind }: DeviceScope): readonly string[] {
    let bus: number | null = startBus;
    let address: string | undefined;
    for (const step of path) {
      if (bus === null) return [];
      address = formatLocation({ segment, bus, ...step });
      const target = this.#byAddress.get(address);
      if (target === undefined) return [];
      bus = target.secondaryBus;
    }
    if (address === undefined) return [];
    return kind === 'endpoint' ? [address] : this.#subtree(address);
  }

  #subtree(top: string): string[] {
    const found = new Set([top]);
    for (const address of found) for (const child of this.#children.get(address) ?? []) found.add(child);
    return [...found];
  }
}
