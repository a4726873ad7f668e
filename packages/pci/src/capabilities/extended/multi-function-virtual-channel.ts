import { channelRegisters, channelSummary } from './channels.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.2.

export const multiFunctionVirtualChannel = {
  id: 0x0008,
  name: 'Multi-Function Virtual Channel',
  meaning: 'It arbitrates between functions that may have other owners.',
  summary: channelSummary,
  registers: channelRegisters,
} as const satisfies ExtendedCapability;
