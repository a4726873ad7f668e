import type { GuestConfig, HostInventory, OwnedFunction } from '../inventory/host-facts.js';

/** The functions of this host that a guest's configuration names. */
export function devicesOf({ devices }: GuestConfig, { byAddress }: HostInventory): OwnedFunction[] {
  return devices
    .flatMap(({ addresses }) => addresses)
    .map((address) => byAddress.get(address))
    .filter((fn) => fn !== undefined);
}
