import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { byteCount, onOff } from './words.js';

// PCI Express Base 5.0 §10.5.1.

/** Units count in pages of 4096 bytes and their doubles. */
const unit = (value: number): string => byteCount(12 + value);

export const addressTranslation = {
  id: 0x000f,
  name: 'Address Translation Services',
  meaning: 'A device that caches translations is trusted with all of memory: only the host turns it on.',
  summary: (bytes) => {
    const control = readLittleEndian(bytes, 0x06, 2);
    return `${onOff(control >>> 15)}, smallest unit ${unit(control & 0x1f)}`;
  },
  registers: {
    capability: decoded(0x04, 2, {
      invalidateQueueDepth: [0, 5, (value) => `${value === 0 ? 32 : value} requests`],
      pageAligned: [5, 1],
      globalInvalidate: [6, 1],
      relaxedOrdering: [7, 1],
    }),
    control: decoded(0x06, 2, { smallestUnit: [0, 5, unit], enable: [15, 1] }),
  },
} as const satisfies ExtendedCapability;
