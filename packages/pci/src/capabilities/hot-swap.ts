import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; PICMG 2.1 R2.0 §3.1.8.
//
//   +0 id │ +1 next │ +2 control and status

export const hotSwap = {
  id: 0x06,
  name: 'CompactPCI Hot Swap',
  size: 4,
  reason: 'it belongs to bridges and slots, which stay with the host',
  registers: {
    controlStatus: decoded(2, 1, {
      deviceHiding: [0, 1],
      interruptMask: [1, 1],
      led: [3, 1],
      extract: [6, 1],
      insert: [7, 1],
    }),
  },
} as const satisfies ConcealedCapability;
