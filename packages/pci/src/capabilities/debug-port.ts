import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; EHCI 1.0 appendix C.
//
//   +0 id │ +1 next │ +2 BAR number and offset

export const debugPort = {
  id: 0x0a,
  name: 'Debug Port',
  size: 4,
  reason: 'it opens a second way to registers that are mediated',
  registers: {
    location: decoded(2, 2, { byteOffset: [0, 13], barNumber: [13, 3] }),
  },
} as const satisfies ConcealedCapability;
