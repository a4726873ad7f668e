import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.2.

export const latencyTolerance = {
  id: 0x0018,
  name: 'Latency Tolerance Reporting',
  meaning: 'It lets the host sleep: the host sets it.',
  registers: {
    maximumSnoop: decoded(0x04, 2, { value: [0, 10], scale: [10, 3] }),
    maximumNoSnoop: decoded(0x06, 2, { value: [0, 10], scale: [10, 3] }),
  },
} as const satisfies ExtendedCapability;
