import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; Accelerated Graphics Port 3.0 §5.3.
//
//   +0 id, next, revision │ +4 status │ +8 command │ +c … isochronous, control, aperture

export const agp8x = {
  id: 0x0e,
  name: 'AGP 8x',
  size: 0x30,
  reason: 'it sets the device’s conduct on a bus that the host owns',
  registers: {
    revision: decoded(2, 1, { minor: [0, 4], major: [4, 4] }),
    status: decoded(4, 4, { rates: [0, 3], fastWrite: [4, 1], over4GiB: [5, 1], sideband: [9, 1], queue: [24, 8] }),
    command: decoded(8, 4, { rate: [0, 3], fastWrite: [4, 1], over4GiB: [5, 1], enable: [8, 1], queue: [24, 8] }),
  },
} as const satisfies ConcealedCapability;
