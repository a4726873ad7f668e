import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.14.

export const lightweightNotification = {
  id: 0x001c,
  name: 'Lightweight Notification Requester',
  meaning: 'Notifications name the host’s cache lines.',
  registers: {
    capability: decoded(0x04, 2),
    control: decoded(0x06, 2),
  },
} as const satisfies ExtendedCapability;
