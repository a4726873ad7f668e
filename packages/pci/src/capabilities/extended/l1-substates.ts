import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.3.

export const l1Substates = {
  id: 0x001e,
  name: 'L1 PM Substates',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capabilities: decoded(0x04, 4),
    control1: decoded(0x08, 4),
    control2: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
