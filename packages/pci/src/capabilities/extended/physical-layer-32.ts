import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.6.

export const physicalLayer32 = {
  id: 0x002a,
  name: 'Physical Layer 32.0 GT/s',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capabilities: decoded(0x04, 4, { equalizationBypass: [0, 1], noEqualization: [1, 1] }),
    control: decoded(0x08, 4, { equalizationBypassOff: [0, 1], noEqualizationOff: [1, 1] }),
    status: decoded(
      0x0c,
      4,
      { equalization: [0, 1], phase1: [1, 1], phase2: [2, 1], phase3: [3, 1], equalizationRequest: [4, 1] },
      { rw1c: 0x0010 },
    ),
  },
} as const satisfies ExtendedCapability;
