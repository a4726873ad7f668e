import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.7.

export const rootComplexRegisterBlock = {
  id: 0x000a,
  name: 'Root Complex Register Block',
  meaning: 'It describes the host’s root complex.',
  registers: {
    vendorId: decoded(0x04, 2),
    deviceId: decoded(0x06, 2),
    capabilities: decoded(0x08, 4),
    control: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
