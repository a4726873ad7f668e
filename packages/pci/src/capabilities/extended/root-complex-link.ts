import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.8.

export const rootComplexLink = {
  id: 0x0005,
  name: 'Root Complex Link Declaration',
  meaning: 'It describes the host’s root complex.',
  registers: {
    elementSelf: decoded(0x04, 4, { type: [0, 4], linkEntries: [8, 8], componentId: [16, 8], portNumber: [24, 8] }),
  },
} as const satisfies ExtendedCapability;
