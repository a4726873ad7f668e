import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9 (reserved).

export const reservedAmd = {
  id: 0x0014,
  name: 'Reserved for AMD',
  meaning: 'Nothing is published of it.',
  registers: {},
} as const satisfies ExtendedCapability;
