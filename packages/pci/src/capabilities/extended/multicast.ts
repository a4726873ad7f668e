import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { onOff } from './words.js';

// PCI Express Base 5.0 §7.9.11.

const groups = (value: number): string => `${value + 1}`;

export const multicast = {
  id: 0x0012,
  name: 'Multicast',
  meaning: 'It sends into address ranges of others.',
  summary: (bytes) => {
    const [offered, control] = [readLittleEndian(bytes, 0x04, 2), readLittleEndian(bytes, 0x06, 2)];
    return `${onOff(control >>> 15)}, ${groups(control & 0x3f)} of ${groups(offered & 0x3f)} groups`;
  },
  registers: {
    capability: decoded(0x04, 2, {
      maximumGroup: [0, 6, groups],
      windowSize: [8, 6],
      ecrcRegeneration: [15, 1],
    }),
    control: decoded(0x06, 2, { groups: [0, 6, groups], enable: [15, 1] }),
    baseLow: decoded(0x08, 4, { indexPosition: [0, 6], base: [12, 20] }),
    baseHigh: decoded(0x0c, 4),
    receiveLow: decoded(0x10, 4),
    receiveHigh: decoded(0x14, 4),
    blockAllLow: decoded(0x18, 4),
    blockAllHigh: decoded(0x1c, 4),
    blockUntranslatedLow: decoded(0x20, 4),
    blockUntranslatedHigh: decoded(0x24, 4),
  },
} as const satisfies ExtendedCapability;
