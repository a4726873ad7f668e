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
      kernel !== null && xen !== null && kernel !== xen
        ? [...new Set([...kernel, ...xen])]
        : (kernel ?? xen ?? acs ?? []);
    if (!members.some((address) => takenAs(address, fn, inventory) !== null)) return [];
    const source = xen !== null ? 'Xen' : kernel !== null ? 'the kernel' : 'Access Control Services';
    const taken = () => members.flatMap((address) => takenAs(address, fn, inventory) ?? []);
    return [
      {
        effect: known ? 'blocks' : 'warns',
        get message() {
          return `its group also has ${taken().map(nameWithDriver).join(', ')}`;
        },
        get evidence() {
          return [`group by ${source}: ${members.join(' ')}`];
        },
        get fix() {
          return addCommand(fn, taken());
        },
      },
    ];
  },
};

/** Another endpoint, when it stays behind and is used. */
function takenAs(address: string, fn: OwnedFunction, { byAddress }: HostInventory): OwnedFunction | null {
  const other = address === fn.address ? undefined : byAddress.get(address);
  if (other === undefined || (other.driver === null && other.owner.kind !== 'domain')) return null;
  return isBridge(other) || goesAlong(fn, other) ? null : other;
}
