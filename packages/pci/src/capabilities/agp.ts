import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; Accelerated Graphics Port 2.0 §6.1. Version 3 (AGP 3.0 §5.3) is longer.
//
//   +0 id, next, revision │ +4 status │ +8 command │ +c … version 3: isochronous, control, aperture

export const agp = {
  id: 0x02,
  name: 'AGP',
  size: (bytes) => ((bytes[2] ?? 0) >= 0x30 ? 0x30 : 0x0c),
  reason: 'it sets the device’s conduct on a bus that the host owns',
  registers: {
    revision: decoded(2, 1, { minor: [0, 4], major: [4, 4] }),
    status: decoded(4, 4, { rates: [0, 3], fastWrite: [4, 1], over4GiB: [5, 1], sideband: [9, 1], queue: [24, 8] }),
    command: decoded(8, 4, { rate: [0, 3], fastWrite: [4, 1], over4GiB: [5, 1], enable: [8, 1], queue: [24, 8] }),
  },
} as const satisfies ConcealedCapability;
