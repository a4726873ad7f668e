import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.5.

export const vendorSpecificExtended = {
  id: 0x000b,
  name: 'Vendor-Specific Extended',
  meaning: 'What it does is the vendor’s secret; a driver that needs it does not find it.',
  registers: {
    header: decoded(0x04, 4, { id: [0, 16], revision: [16, 4], length: [20, 12] }),
  },
} as const satisfies ExtendedCapability;
