import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.1.

export const powerBudgeting = {
  id: 0x0004,
  name: 'Power Budgeting',
  meaning: 'Power is the host’s to give.',
  registers: {
    dataSelect: decoded(0x04, 1),
    data: decoded(0x08, 4, {
      basePower: [0, 8],
      scale: [8, 2],
      subState: [10, 3],
      state: [13, 2],
      type: [15, 3],
      rail: [18, 3],
    }),
    capability: decoded(0x0c, 1, { systemAllocated: [0, 1] }),
  },
} as const satisfies ExtendedCapability;
