import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9 (withdrawn).

export const multiRootVirtualization = {
  id: 0x0011,
  name: 'Multi-Root I/O Virtualization',
  meaning: 'It was withdrawn from the specification.',
  registers: {
    capabilities: decoded(0x04, 4),
  },
} as const satisfies ExtendedCapability;
