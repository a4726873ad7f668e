import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Express Base 5.0 §7.8.10.
//
//   +0 id, next │ +4 capabilities │ +8 … vectors of bus numbers and memory, their access control and data

export const flatteningPortalBridge = {
  id: 0x15,
  name: 'Flattening Portal Bridge',
  size: 0x24,
  reason: 'it belongs to bridges and slots, which stay with the host',
  registers: {
    capabilities: decoded(4, 4, { busNumbers: [0, 1], memoryLow: [1, 1], memoryHigh: [2, 1] }),
    busNumberControl1: decoded(0x08, 4),
    busNumberControl2: decoded(0x0c, 4),
    memoryLowControl: decoded(0x10, 4),
    memoryHighControl1: decoded(0x14, 4),
    memoryHighControl2: decoded(0x18, 4),
    vectorAccessControl: decoded(0x1c, 4),
    vectorAccessData: decoded(0x20, 4),
  },
} as const satisfies ConcealedCapability;
