import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.11.

export const multicast = {
  id: 0x0012,
  name: 'Multicast',
  meaning: 'It sends into address ranges of others.',
  registers: {
    capability: decoded(0x04, 2, { maximumGroup: [0, 6], windowSize: [8, 6], ecrcRegeneration: [15, 1] }),
    control: decoded(0x06, 2, { groups: [0, 6], enable: [15, 1] }),
    baseLow: decoded(0x08, 4),
    baseHigh: decoded(0x0c, 4),
    receiveLow: decoded(0x10, 4),
    receiveHigh: decoded(0x14, 4),
    blockAllLow: decoded(0x18, 4),
    blockAllHigh: decoded(0x1c, 4),
    blockUntranslatedLow: decoded(0x20, 4),
    blockUntranslatedHigh: decoded(0x24, 4),
  },
} as const satisfies ExtendedCapability;
