import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';
import { readLittleEndian } from '../config-space/access.js';

// PCI Express Base 5.0 §7.8.5 (type 0): a header and up to 63 entries, each with its own length.
//
//   +0 id │ +1 next │ +2 number of entries (5:0)
//   +4 entry: words that follow (2:0), BAR it stands for (7:4), … │ base │ maximum offset │ upper halves

export const enhancedAllocation = {
  id: 0x14,
  name: 'Enhanced Allocation',
  size: sizeOf,
  reason: 'its fixed addresses are the host’s',
  registers: {
    entries: decoded(2, 2, { count: [0, 6] }),
  },
} as const satisfies ConcealedCapability;

function sizeOf(bytes: Uint8Array): number {
  const count = (bytes[2] ?? 0) & 0x3f;
  let end = 4;
  for (let entry = 0; entry < count && end < bytes.length; entry += 1) {
    end += 4 * (1 + (readLittleEndian(bytes, end, 4) & 7));
  }
  return Math.min(end, Math.max(bytes.length, 4));
}
