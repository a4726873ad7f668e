import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.21.

export const alternateProtocol = {
  id: 0x002b,
  name: 'Alternate Protocol',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capabilities: decoded(0x04, 4),
    control: decoded(0x08, 4),
    data1: decoded(0x0c, 4),
    data2: decoded(0x10, 4),
  },
} as const satisfies ExtendedCapability;
