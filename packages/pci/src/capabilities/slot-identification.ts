import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI-to-PCI Bridge Architecture 1.2 §3.2.6.
//
//   +0 id │ +1 next │ +2 expansion slot │ +3 chassis number

export const slotIdentification = {
  id: 0x04,
  name: 'Slot Identification',
  size: 4,
  reason: 'it belongs to bridges and slots, which stay with the host',
  registers: {
    expansionSlot: decoded(2, 1, { slotsProvided: [0, 5], firstInChassis: [5, 1] }),
    chassisNumber: decoded(3, 1),
  },
} as const satisfies ConcealedCapability;
