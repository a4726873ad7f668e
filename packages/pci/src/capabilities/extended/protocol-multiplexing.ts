import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 appendix G.

export const protocolMultiplexing = {
  id: 0x001a,
  name: 'Protocol Multiplexing',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capability: decoded(0x04, 4),
    control: decoded(0x08, 4),
    status: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
