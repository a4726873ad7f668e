import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.12.

export const dynamicPowerAllocation = {
  id: 0x0016,
  name: 'Dynamic Power Allocation',
  meaning: 'Power is the host’s to give.',
  registers: {
    capability: decoded(0x04, 4, { maximumSubstate: [0, 5] }),
    latencyIndicator: decoded(0x08, 4),
    status: decoded(0x0c, 2),
    control: decoded(0x0e, 2),
  },
} as const satisfies ExtendedCapability;
