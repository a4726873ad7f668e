import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9 (withdrawn).

export const configurationAccessCorrelation = {
  id: 0x000c,
  name: 'Configuration Access Correlation',
  meaning: 'It was withdrawn from the specification.',
  registers: {
    correlation: decoded(0x04, 4),
  },
} as const satisfies ExtendedCapability;
