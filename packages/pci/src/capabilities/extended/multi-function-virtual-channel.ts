import type { ExtendedCapability } from './extended-capability.js';
import { virtualChannel } from './virtual-channel.js';

// PCI Express Base 5.0 §7.9.2.

export const multiFunctionVirtualChannel = {
  id: 0x0008,
  name: 'Multi-Function Virtual Channel',
  meaning: 'It arbitrates between functions that may have other owners.',
  // The same layout, by the same section or by reference to it.
  registers: virtualChannel.registers,
} as const satisfies ExtendedCapability;
