import { channelRegisters, channelSummary } from './channels.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.1.

export const virtualChannelMultiFunction = {
  id: 0x0009,
  name: 'Virtual Channel of a Multi-Function Device',
  meaning: 'Channels belong to the whole path to the root.',
  summary: channelSummary,
  registers: channelRegisters,
} as const satisfies ExtendedCapability;
