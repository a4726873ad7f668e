import type { FunctionRule } from './rule.js';

export const physicalFunction: FunctionRule = {
  scope: 'function',
  id: 'physical-function',
  title: 'Virtual functions of this card are in use',
  cause: 'SR-IOV is switched on: the virtual functions live from the physical one and its driver.',
  consequence:
    'Taking the physical function from its driver makes all its virtual functions disappear, also from guests.',
  remedy: 'Pass through virtual functions, or switch them off first.',
  check: ({ virtualFunctions, address }) => {
    if (virtualFunctions?.kind !== 'physical' || virtualFunctions.enabled.length === 0) return [];
    const { enabled, total } = virtualFunctions;
    return [
      {
        effect: 'blocks',
        message: `${enabled.length} of ${total} virtual functions are switched on: ${enabled.slice(0, 8).join(' ')}`,
        evidence: [`/sys/bus/pci/devices/${address}/sriov_numvfs`],
        fix: `echo 0 > /sys/bus/pci/devices/${address}/sriov_numvfs`,
      },
    ];
  },
};
