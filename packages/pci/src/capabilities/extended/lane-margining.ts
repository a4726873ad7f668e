import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.7.

export const laneMargining = {
  id: 0x0027,
  name: 'Lane Margining',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    portCapabilities: decoded(0x04, 2, { usesDriver: [0, 1] }),
    portStatus: decoded(0x06, 2, { ready: [0, 1], softwareReady: [1, 1] }),
  },
} as const satisfies ExtendedCapability;
