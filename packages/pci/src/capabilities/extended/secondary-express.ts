import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.3.

function lanesOf(mask: number): string {
  const lanes = Array.from({ length: 32 }, (_, lane) => lane).filter((lane) => ((mask >>> lane) & 1) === 1);
  return lanes.length === 0 ? 'none' : lanes.join(' ');
}

export const secondaryExpress = {
  id: 0x0019,
  name: 'Secondary PCI Express',
  meaning: 'Link settings belong to both ends of the link.',
  summary: (bytes) => `lanes with errors: ${lanesOf(readLittleEndian(bytes, 0x08, 4))}`,
  registers: {
    linkControl3: decoded(0x04, 4, {
      equalize: [0, 1],
      equalizationInterrupt: [1, 1],
      lowerSkipVector: [9, 7],
    }),
    laneErrorStatus: decoded(0x08, 4, { lanes: [0, 32, lanesOf] }, { rw1c: 0xffff_ffff }),
  },
} as const satisfies ExtendedCapability;
