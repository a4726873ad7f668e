import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.6.

export const physicalLayer32 = {
  id: 0x002a,
  name: 'Physical Layer 32.0 GT/s',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capabilities: decoded(0x04, 4),
    control: decoded(0x08, 4),
    status: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
