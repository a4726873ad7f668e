import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.13.

export const processingHints = {
  id: 0x0017,
  name: 'Processing Hints',
  meaning: 'Hints name the host’s processors.',
  registers: {
    capability: decoded(0x04, 4),
    control: decoded(0x08, 4, { mode: [0, 3], enable: [8, 2] }),
  },
} as const satisfies ExtendedCapability;
