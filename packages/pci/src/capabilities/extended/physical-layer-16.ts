import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.5.

export const physicalLayer16 = {
  id: 0x0026,
  name: 'Physical Layer 16.0 GT/s',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capabilities: decoded(0x04, 4),
    control: decoded(0x08, 4),
    status: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
