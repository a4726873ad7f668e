import { channelRegisters, channelSummary } from './channels.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.1.

export const virtualChannel = {
  id: 0x0002,
  name: 'Virtual Channel',
  meaning: 'Channels belong to the whole path to the root.',
  summary: channelSummary,
  registers: channelRegisters,
} as const satisfies ExtendedCapability;
