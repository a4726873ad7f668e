import type { HostFacts, HostInventory, OwnedFunction, Owner } from '../../src/inventory/host-facts.js';
import { readFunctionRecords, readHostFacts } from '../../src/sysfs/index.js';
import type { HostTree } from '../../src/sysfs/testing/index.js';

/** What only a running Xen knows, by address. */
export interface XenSays {
  readonly owners?: Readonly<Record<string, Owner>>;
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly host?: Partial<HostFacts>;
}

/** The inventory of a tree, with what Xen would say of it. */
export function inventoryOf(tree: HostTree, { owners = {}, groups = {}, host = {} }: XenSays = {}): HostInventory {
  const records = readFunctionRecords(tree);
  const facts: HostFacts = { ...readHostFacts(tree), interruptRemapping: records.interruptRemapping, ...host };
  const functions = records.functions.map((record): OwnedFunction => {
    const { address, driver } = record;
    return {
      ...record,
      groups: { ...record.groups, xen: groups[address] ?? record.groups.xen },
      owner: owners[address] ?? { kind: 'host', driver },
      wantedBy: facts.guestConfigs
        .filter(({ devices }) => devices.some(({ addresses }) => addresses.includes(address)))
        .map(({ name }) => name),
    };
  });
  return { functions, byAddress: new Map(functions.map((fn) => [fn.address, fn])), host: facts };
}
