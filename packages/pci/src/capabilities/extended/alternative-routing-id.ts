import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.7.

const lastFunction = 0;

export const alternativeRoutingId = {
  id: 0x000e,
  name: 'Alternative Routing-ID',
  meaning: 'It renumbers functions: the guest has numbers of its own.',
  summary: (bytes) => {
    const next = bytes[5] ?? lastFunction;
    return next === lastFunction ? 'last function of the device' : `next function ${next}`;
  },
  registers: {
    capability: decoded(0x04, 2, { channelGroups: [0, 1], accessControlGroups: [1, 1], nextFunction: [8, 8] }),
    control: decoded(0x06, 2, { channelGroups: [0, 1], accessControlGroups: [1, 1], functionGroup: [4, 3] }),
  },
} as const satisfies ExtendedCapability;
