import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';
import { readLittleEndian } from '../config-space/access.js';

// PCI-X Protocol Addendum 2.0a §7.2 (type 0). Versions 1 and 2 carry error correction registers.
//
//   +0 id, next, command │ +4 status │ +8 … error correction (command bits 13:12 not 0)

export const pciX = {
  id: 0x07,
  name: 'PCI-X',
  size: (bytes) => ((readLittleEndian(bytes, 2, 2) & 0x3000) === 0 ? 0x08 : 0x18),
  reason: 'it sets the device’s conduct on a bus that the host owns',
  registers: {
    command: decoded(2, 2, { parityRecovery: [0, 1], relaxedOrdering: [1, 1], readCount: [2, 2], splits: [4, 3] }),
    status: decoded(4, 4, { function: [0, 3], device: [3, 5], bus: [8, 8], is64Bit: [16, 1], is133MHz: [17, 1] }),
  },
} as const satisfies ConcealedCapability;
