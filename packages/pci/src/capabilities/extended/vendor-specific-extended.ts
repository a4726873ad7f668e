import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { hexWord } from './words.js';

// PCI Express Base 5.0 §7.9.5.

export const vendorSpecificExtended = {
  id: 0x000b,
  name: 'Vendor-Specific Extended',
  meaning: 'What it does is the vendor’s secret; a driver that needs it does not find it.',
  summary: (bytes) => {
    const header = readLittleEndian(bytes, 0x04, 4);
    return `id ${hexWord(header & 0xffff)}, revision ${(header >>> 16) & 0xf}, ${header >>> 20} bytes`;
  },
  registers: {
    header: decoded(0x04, 4, {
      id: [0, 16, hexWord],
      revision: [16, 4],
      length: [20, 12, (value) => `${value} bytes`],
    }),
  },
} as const satisfies ExtendedCapability;
