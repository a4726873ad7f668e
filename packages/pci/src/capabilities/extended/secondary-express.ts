import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.3.

export const secondaryExpress = {
  id: 0x0019,
  name: 'Secondary PCI Express',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    linkControl3: decoded(0x04, 4),
    laneErrorStatus: decoded(0x08, 4, {}, { rw1c: 0xffff_ffff }),
  },
} as const satisfies ExtendedCapability;
