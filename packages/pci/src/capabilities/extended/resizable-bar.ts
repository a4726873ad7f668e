import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.6.

export const resizableBar = {
  id: 0x0015,
  name: 'Resizable BAR',
  meaning: 'The size of a BAR is fixed while a guest has it; the host may choose another before.',
  registers: {
    capability: decoded(0x04, 4),
    control: decoded(0x08, 4, { barIndex: [0, 3], barCount: [5, 3], barSize: [8, 6] }),
  },
} as const satisfies ExtendedCapability;
