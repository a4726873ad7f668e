import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.1.

export const virtualChannelMultiFunction = {
  id: 0x0009,
  name: 'Virtual Channel of a Multi-Function Device',
  meaning: 'Channels belong to the whole path to the root.',
  registers: {
    portCapability1: decoded(0x04, 4, {
      extendedChannels: [0, 3],
      lowPriorityChannels: [4, 3],
      referenceClock: [8, 2],
    }),
    portCapability2: decoded(0x08, 4),
    portControl: decoded(0x0c, 2),
    portStatus: decoded(0x0e, 2),
    channel0Capability: decoded(0x10, 4),
    channel0Control: decoded(0x14, 4, { trafficClasses: [0, 8], channelId: [24, 3], enable: [31, 1] }),
    channel0Status: decoded(0x1a, 2),
  },
} as const satisfies ExtendedCapability;
