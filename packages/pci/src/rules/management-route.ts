import type { FunctionRule } from './rule.js';

export const managementRoute: FunctionRule = {
  scope: 'function',
  id: 'management-route',
  title: 'The host is reached over this network card',
  cause: 'The default route of the host, also by a bridge, a bond or a VLAN, leaves by this function.',
  consequence: 'Whoever works on the host from afar is cut off when the function is taken.',
  remedy:
    'Move the route to another card, or use a virtual function of the card and leave the host the physical one.',
  check: ({ address }, { host }) =>
    host.managementInterfaces
      .filter((known) => known.address === address)
      .map(({ interfaceName, reason }) => ({
        effect: 'blocks',
        message: `${interfaceName} carries the ${reason}`,
        evidence: ['/proc/net/route', `/sys/class/net/${interfaceName}`],
        fix: null,
      })),
};
