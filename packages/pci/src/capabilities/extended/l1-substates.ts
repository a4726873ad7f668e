import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { BitField } from '../../config-space/register.js';
import type { ExtendedCapability } from './extended-capability.js';
import { latencyScales, switchedOn } from './words.js';

// PCI Express Base 5.0 §7.8.3.

const substates = {
  powerManagementL12: [0, 1],
  powerManagementL11: [1, 1],
  activeStateL12: [2, 1],
  activeStateL11: [3, 1],
} as const satisfies Readonly<Record<string, BitField>>;
const microseconds = (value: number): string => `${value} us`;
const powerOnScales = ['2 us', '10 us', '100 us'] as const;

export const l1Substates = {
  id: 0x001e,
  name: 'L1 PM Substates',
  meaning: 'Link settings belong to both ends of the link.',
  summary: (bytes) => {
    const [offered, on] = [readLittleEndian(bytes, 0x04, 4), readLittleEndian(bytes, 0x08, 4)];
    return `offers ${switchedOn(substates, offered)}; on: ${switchedOn(substates, on)}`;
  },
  registers: {
    capabilities: decoded(0x04, 4, {
      ...substates,
      supported: [4, 1],
      linkActivation: [5, 1],
      commonModeRestoreTime: [8, 8, microseconds],
      powerOnScale: [16, 2, powerOnScales],
      powerOnValue: [19, 5],
    }),
    control1: decoded(0x08, 4, {
      ...substates,
      linkActivationInterrupt: [4, 1],
      linkActivation: [5, 1],
      commonModeRestoreTime: [8, 8, microseconds],
      thresholdValue: [16, 10],
      thresholdScale: [29, 3, latencyScales],
    }),
    control2: decoded(0x0c, 4, { powerOnScale: [0, 2, powerOnScales], powerOnValue: [3, 5] }),
  },
} as const satisfies ExtendedCapability;
