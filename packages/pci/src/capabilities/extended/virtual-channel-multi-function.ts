import type { ExtendedCapability } from './extended-capability.js';
import { virtualChannel } from './virtual-channel.js';

// PCI Express Base 5.0 §7.9.1.

export const virtualChannelMultiFunction = {
  id: 0x0009,
  name: 'Virtual Channel of a Multi-Function Device',
  meaning: 'Channels belong to the whole path to the root.',
  // The same layout, by the same section or by reference to it.
  registers: virtualChannel.registers,
} as const satisfies ExtendedCapability;
