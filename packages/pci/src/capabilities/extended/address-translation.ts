import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §10.5.1.

export const addressTranslation = {
  id: 0x000f,
  name: 'Address Translation Services',
  meaning: 'A device that caches translations is trusted with all of memory: only the host turns it on.',
  registers: {
    capability: decoded(0x04, 2, { invalidateQueueDepth: [0, 5], pageAligned: [5, 1], globalInvalidate: [6, 1] }),
    control: decoded(0x06, 2, { smallestUnit: [0, 5], enable: [15, 1] }),
  },
} as const satisfies ExtendedCapability;
