import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Standard Hot-Plug Controller 1.0 §4.1.
//
//   +0 id │ +1 next │ +2 dword select │ +3 pending │ +4 dword data

export const hotPlug = {
  id: 0x0c,
  name: 'Hot-Plug',
  size: 8,
  reason: 'it belongs to bridges and slots, which stay with the host',
  registers: {
    dwordSelect: decoded(2, 1),
    pending: decoded(3, 1, { controllerInterrupt: [6, 1], controllerSystemError: [7, 1] }),
    dwordData: decoded(4, 4),
  },
} as const satisfies ConcealedCapability;
