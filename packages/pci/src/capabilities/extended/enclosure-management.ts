import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.20.

export const enclosureManagement = {
  id: 0x0029,
  name: 'Native Enclosure Management',
  meaning: 'It lights lamps of the host’s enclosure.',
  registers: {
    capability: decoded(0x04, 4),
    control: decoded(0x08, 4),
    status: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
