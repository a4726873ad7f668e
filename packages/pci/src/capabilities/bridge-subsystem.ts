import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI-to-PCI Bridge Architecture 1.2 §3.2.5.13.
//
//   +0 id │ +1 next │ +4 subsystem vendor │ +6 subsystem

export const bridgeSubsystem = {
  id: 0x0d,
  name: 'Bridge Subsystem ID',
  size: 8,
  reason: 'it belongs to bridges and slots, which stay with the host',
  registers: {
    subsystemVendorId: decoded(4, 2),
    subsystemId: decoded(6, 2),
  },
} as const satisfies ConcealedCapability;
