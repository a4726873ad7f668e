import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.16.

export const precisionTime = {
  id: 0x001f,
  name: 'Precision Time Measurement',
  meaning: 'Time comes from the host’s root.',
  registers: {
    capability: decoded(0x04, 4),
    control: decoded(0x08, 4, { enable: [0, 1], rootSelect: [1, 1], granularity: [8, 8] }),
  },
} as const satisfies ExtendedCapability;
