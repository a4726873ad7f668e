import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.18.

export const hierarchyId = {
  id: 0x0028,
  name: 'Hierarchy ID',
  meaning: 'It names the host’s hierarchy.',
  registers: {
    status: decoded(0x04, 4),
    data: decoded(0x08, 4),
  },
} as const satisfies ExtendedCapability;
