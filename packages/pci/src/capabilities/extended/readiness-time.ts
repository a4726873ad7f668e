import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.17.

export const readinessTime = {
  id: 0x0022,
  name: 'Readiness Time Reporting',
  meaning: 'The host waits after a reset, on behalf of the guest.',
  registers: {
    times1: decoded(0x04, 4),
    times2: decoded(0x08, 4),
  },
} as const satisfies ExtendedCapability;
