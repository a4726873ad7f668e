import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.15.

export const downstreamPortContainment = {
  id: 0x001d,
  name: 'Downstream Port Containment',
  meaning: 'It belongs to ports, which stay with the host.',
  registers: {
    capability: decoded(0x04, 2),
    control: decoded(0x06, 2),
    status: decoded(0x08, 2),
    errorSource: decoded(0x0a, 2),
  },
} as const satisfies ExtendedCapability;
