import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.9.

export const rootComplexInternalLink = {
  id: 0x0006,
  name: 'Root Complex Internal Link Control',
  meaning: 'It controls the host’s root complex.',
  registers: {
    linkCapabilities: decoded(0x04, 4),
    linkControl: decoded(0x08, 2),
    linkStatus: decoded(0x0a, 2),
  },
} as const satisfies ExtendedCapability;
