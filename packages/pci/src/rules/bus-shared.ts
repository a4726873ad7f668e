import { addCommand, type FunctionRule, goesAlong, nameWithDriver, otherEndpoints } from './rule.js';

const toConventionalPci = 7;

export const busShared: FunctionRule = {
  scope: 'function',
  id: 'bus-shared',
  title: 'Shares a conventional PCI bus with others',
  cause: 'Behind a bridge from PCI Express to PCI, requests of all functions carry the id of the bridge.',
  consequence: 'The IOMMU cannot tell them apart: a guest that has one reads and writes what the others may.',
  remedy: 'Give every function of the bus to the same guest, or move the card to a slot of its own.',
  check: (fn, inventory) => {
    const parent = fn.parent === null ? undefined : inventory.byAddress.get(fn.parent);
    if (parent?.config.expressType !== toConventionalPci && !isConventionalBridge(parent)) return [];
    const sameBus = inventory.functions.filter((other) => other.parent === fn.parent).map(({ address }) => address);
    const others = otherEndpoints(fn, sameBus, inventory).filter((other) => !goesAlong(fn, other));
    if (others.length === 0) return [];
    return [
      {
        effect: 'blocks',
        message: `it shares the bus behind ${fn.parent ?? ''} with ${others.map(nameWithDriver).join(', ')}`,
        evidence: [`${fn.parent ?? ''} is a bridge to conventional PCI`],
        fix: addCommand(fn, others),
      },
    ];
  },
};

function isConventionalBridge(
  parent: { readonly config: { readonly expressType: number | null; readonly sizeBytes: number } } | undefined,
) {
  return parent !== undefined && parent.config.expressType === null && parent.config.sizeBytes > 64;
}
