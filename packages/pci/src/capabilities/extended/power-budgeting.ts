import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.1.

const scales = ['1 W', '0.1 W', '0.01 W', '0.001 W'] as const;
const states = ['D0', 'D1', 'D2', 'D3'] as const;
const kinds: Readonly<Record<number, string>> = {
  0: 'PME, auxiliary',
  1: 'auxiliary',
  2: 'idle',
  3: 'sustained',
  4: 'sustained, emergency',
  5: 'maximum, emergency',
  7: 'maximum',
};
const rails: Readonly<Record<number, string>> = { 0: '12 V', 1: '3.3 V', 2: '1.5 V or 1.8 V', 7: 'thermal' };

export const powerBudgeting = {
  id: 0x0004,
  name: 'Power Budgeting',
  meaning: 'Power is the host’s to give.',
  registers: {
    dataSelect: decoded(0x04, 1),
    data: decoded(0x08, 4, {
      basePower: [0, 8],
      scale: [8, 2, scales],
      subState: [10, 3],
      state: [13, 2, states],
      type: [15, 3, kinds],
      rail: [18, 3, rails],
    }),
    capability: decoded(0x0c, 1, { systemAllocated: [0, 1] }),
  },
} as const satisfies ExtendedCapability;
