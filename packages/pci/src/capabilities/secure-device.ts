import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; AMD I/O Virtualization Technology 3.05 §3.1 (the IOMMU’s own block).
//
//   +0 id, next, header │ +4 base address low │ +8 base address high │ +c range │ +10 miscellaneous

export const secureDevice = {
  id: 0x0f,
  name: 'Secure Device',
  size: 0x14,
  reason: 'its conduct under a hypervisor is not specified',
  registers: {
    header: decoded(2, 2, { type: [0, 3], revision: [3, 5] }),
    baseAddressLow: decoded(4, 4, { enable: [0, 1] }),
    baseAddressHigh: decoded(8, 4),
    range: decoded(0x0c, 4),
    miscellaneous: decoded(0x10, 4),
  },
} as const satisfies ConcealedCapability;
