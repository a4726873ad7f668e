import { isSameList } from '../inventory/groups.js';
import { type FunctionRule, goesAlong, nameWithDriver, otherEndpoints } from './rule.js';

export const groupDisagreement: FunctionRule = {
  scope: 'function',
  id: 'group-disagreement',
  title: 'Bridges let functions talk that Xen takes to be apart',
  cause:
    'Xen groups by the ids that the IOMMU sees. It does not look whether a bridge, or a device of several functions, ' +
    'sends a request straight to a neighbour because Access Control Services are missing or switched off.',
  consequence: 'A guest may reach the neighbour’s registers past the IOMMU, although no tool objects.',
  remedy:
    'Give the neighbours to the same guest, use a slot below a port with ACS, or accept it for a trusted guest. ' +
    'Some devices isolate without saying so; their makers’ documents tell.',
  check: (fn, inventory) => {
    const { acs, xen, kernel } = fn.groups;
    const official = xen ?? kernel;
    if (acs === null || official === null || isSameList(acs, official)) return [];
    const extra = otherEndpoints(
      fn,
      acs.filter((address) => !official.includes(address)),
      inventory,
    );
    const strangers = extra.filter((other) => !goesAlong(fn, other));
    if (strangers.length === 0) return [];
    return [
      {
        effect: 'warns',
        message: `without ACS, ${strangers.map(nameWithDriver).join(', ')} can be reached past the IOMMU`,
        evidence: [
          `${xen === null ? 'the kernel' : 'Xen'}: ${official.join(' ')}`,
          `by Access Control Services in config space: ${acs.join(' ')}`,
        ],
        fix: `setpci -s ${fn.parent ?? fn.address} ECAP_ACS+6.w`,
      },
    ];
  },
};
