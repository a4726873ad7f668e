import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; PICMG 2.13. Its registers are the system host’s.

export const resourceControl = {
  id: 0x0b,
  name: 'CompactPCI Resource Control',
  size: 4,
  reason: 'it belongs to bridges and slots, which stay with the host',
  registers: {
    control: decoded(2, 2),
  },
} as const satisfies ConcealedCapability;
