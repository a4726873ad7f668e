import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.7.

export const laneMargining = {
  id: 0x0027,
  name: 'Lane Margining',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    portCapabilities: decoded(0x04, 2),
    portStatus: decoded(0x06, 2),
  },
} as const satisfies ExtendedCapability;
