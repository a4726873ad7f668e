import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';

// PCI Code and ID Assignment 1.11 §2; Serial ATA 3.0 §13.3: the registers stand in a BAR or, location 15, here.
//
//   +0 id, next, revision │ +4 location │ +8 index │ +c data

export const sataIndexData = {
  id: 0x12,
  name: 'SATA Index/Data',
  size: (bytes) => (((bytes[4] ?? 0) & 0xf) === 0xf ? 0x10 : 8),
  reason: 'it opens a second way to registers that are mediated',
  registers: (bytes) => ({
    revision: decoded(2, 1, { minor: [0, 4], major: [4, 4] }),
    location: decoded(4, 4, { barLocation: [0, 4], barOffset: [4, 20] }),
    ...(((bytes[4] ?? 0) & 0xf) === 0xf ? { index: decoded(8, 4), data: decoded(0x0c, 4) } : {}),
  }),
} as const satisfies ConcealedCapability;
