import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.3.

export const deviceSerialNumber = {
  id: 0x0003,
  name: 'Device Serial Number',
  meaning: 'Tells one card from another; a guest does not learn it.',
  // EUI-64, the company's part first.
  summary: (bytes) =>
    Array.from({ length: 8 }, (_, index) => (bytes[11 - index] ?? 0xff).toString(16).padStart(2, '0')).join('-'),
  registers: {
    serialLow: decoded(0x04, 4),
    serialHigh: decoded(0x08, 4),
  },
} as const satisfies ExtendedCapability;
