import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.10.

export const rootComplexEventCollector = {
  id: 0x0007,
  name: 'Root Complex Event Collector Association',
  meaning: 'It belongs to a collector of the host’s errors.',
  registers: {
    associationBitmap: decoded(0x04, 4),
  },
} as const satisfies ExtendedCapability;
