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
    status: decoded(
      0x0c,
      4,
      { equalization: [0, 1], phase1: [1, 1], phase2: [2, 1], phase3: [3, 1], equalizationRequest: [4, 1] },
      { rw1c: 0x0010 },
    ),
  },
} as const satisfies ExtendedCapability;
