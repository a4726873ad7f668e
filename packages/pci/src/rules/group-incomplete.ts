import { addCommand, type FunctionRule, goesAlong, nameWithDriver, otherEndpoints } from './rule.js';

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
    const members = new Set([...(kernel ?? []), ...(xen ?? []), ...(known ? [] : (acs ?? []))]);
    const others = otherEndpoints(fn, [...members], inventory).filter((other) => !goesAlong(fn, other));
    const taken = others.filter(({ owner, driver }) => owner.kind === 'domain' || driver !== null);
    if (taken.length === 0) return [];
    const source = xen !== null ? 'Xen' : kernel !== null ? 'the kernel' : 'Access Control Services';
    return [
      {
        effect: known ? 'blocks' : 'warns',
        message: `its group also has ${taken.map(nameWithDriver).join(', ')}`,
        evidence: [`group by ${source}: ${[...members].join(' ')}`],
        fix: addCommand(fn, taken),
      },
    ];
  },
};
