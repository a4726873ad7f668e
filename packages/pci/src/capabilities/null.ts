import type { ConcealedCapability } from './capability.js';

// PCI Code and ID Assignment 1.11 §2: id 0, registers no more than the two of every capability.

export const nullCapability = {
  id: 0x00,
  name: 'Null',
  size: 4,
  reason: 'it has no registers',
  registers: {},
} as const satisfies ConcealedCapability;
