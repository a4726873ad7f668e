import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.9.

export const functionReadiness = {
  id: 0x0021,
  name: 'Function Readiness Status Queueing',
  meaning: 'It belongs to ports, which stay with the host.',
  registers: {
    capability: decoded(0x04, 4),
    status: decoded(0x08, 2),
    control: decoded(0x0a, 2),
    messageQueue: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
