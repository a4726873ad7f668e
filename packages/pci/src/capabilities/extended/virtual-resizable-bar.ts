import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §9.3.7.5.

export const virtualResizableBar = {
  id: 0x0024,
  name: 'VF Resizable BAR',
  meaning: 'The size of a BAR is fixed while a guest has it; the host may choose another before.',
  registers: {
    capability: decoded(0x04, 4),
    control: decoded(0x08, 4, { barIndex: [0, 3], barCount: [5, 3], barSize: [8, 6] }),
  },
} as const satisfies ExtendedCapability;
