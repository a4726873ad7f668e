import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9 (withdrawn).

export const mobileExpress = {
  id: 0x0020,
  name: 'PCI Express over M-PHY',
  meaning: 'It was withdrawn from the specification.',
  registers: {
    capabilities: decoded(0x04, 4),
    control: decoded(0x08, 2),
    status: decoded(0x0a, 2),
  },
} as const satisfies ExtendedCapability;
