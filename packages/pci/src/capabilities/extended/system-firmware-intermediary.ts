import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.22.

export const systemFirmwareIntermediary = {
  id: 0x002c,
  name: 'System Firmware Intermediary',
  meaning: 'It belongs to ports, which stay with the host.',
  registers: {
    capability: decoded(0x04, 2),
    control: decoded(0x06, 2),
    status: decoded(0x08, 2),
  },
} as const satisfies ExtendedCapability;
