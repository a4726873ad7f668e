import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { hexWord } from './words.js';

// PCI Express Base 5.0 §7.9.6.

export const designatedVendorSpecific = {
  id: 0x0023,
  name: 'Designated Vendor-Specific',
  meaning: 'What it does is the vendor’s secret; a driver that needs it does not find it.',
  summary: (bytes) => {
    const header = readLittleEndian(bytes, 0x04, 4);
    const [vendor, id] = [header & 0xffff, readLittleEndian(bytes, 0x08, 2)];
    const revision = (header >>> 16) & 0xf;
    return `vendor ${hexWord(vendor)}, id ${hexWord(id)}, revision ${revision}, ${header >>> 20} bytes`;
  },
  registers: {
    header1: decoded(0x04, 4, {
      vendorId: [0, 16, hexWord],
      revision: [16, 4],
      length: [20, 12, (value) => `${value} bytes`],
    }),
    header2: decoded(0x08, 2, { id: [0, 16, hexWord] }),
  },
} as const satisfies ExtendedCapability;
