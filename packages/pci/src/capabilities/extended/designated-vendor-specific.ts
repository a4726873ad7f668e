import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.6.

export const designatedVendorSpecific = {
  id: 0x0023,
  name: 'Designated Vendor-Specific',
  meaning: 'What it does is the vendor’s secret; a driver that needs it does not find it.',
  registers: {
    header1: decoded(0x04, 4, { vendorId: [0, 16], revision: [16, 4], length: [20, 12] }),
    header2: decoded(0x08, 2),
  },
} as const satisfies ExtendedCapability;
