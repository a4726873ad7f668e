import { isBridge } from '../inventory/function-record.js';
import type { HostInventory, OwnedFunction } from '../inventory/host-facts.js';
import { addCommand, type FunctionRule, goesAlong, nameWithDriver } from './rule.js';

export const groupIncomplete: FunctionRule = {
  scope: 'function',
  id: 'group-incomplete',
  title: 'Others in the same isolation group stay behind',
  cause: 'The IOMMU or the bridges above cannot keep these functions apart.',
  consequence:
    'They can reach each other’s registers and memory without the IOMMU seeing it, across guests and the host.',
  remedy: 'Give the whole group to one guest, or move the card below a port with Access Control Services.',
  check: (fn, inventory) => {
    const { kernel, xen, acs } = fn.groups;
    const known = kernel !== null || xen !== null;
    const members =
      kernel !== null && xen !== null ? [...new Set([...kernel, ...xen])] : (kernel ?? xen ?? acs ?? []);
    const taken = takenOf(members, fn, inventory);
    if (taken.length === 0) return [];
    const source = xen !== null ? 'Xen' : kernel !== null ? 'the kernel' : 'Access Control Services';
    return [
      {
        effect: known ? 'blocks' : 'warns',
        message: `its group also has ${taken.map(nameWithDriver).join(', ')}`,
        evidence: [`group by ${source}: ${members.join(' ')}`],
        fix: addCommand(fn, taken),
      },
    ];
  },
};

/** Other endpoints that stay behind and are used. In one go: of a group of hundreds each looks at all the others. */
function takenOf(members: readonly string[], fn: OwnedFunction, { byAddress }: HostInventory): OwnedFunction[] {
  const taken: OwnedFunction[] = [];
  for (const address of members) {
    const other = address === fn.address ? undefined : byAddress.get(address);
    if (other === undefined || (other.driver === null && other.owner.kind !== 'domain')) continue;
    if (!isBridge(other) && !goesAlong(fn, other)) taken.push(other);
  }
  return taken;
}
