import type { ExtendedCapability } from './extended-capability.js';
import { resizableRegisters, resizableSummary } from './resizable.js';

// PCI Express Base 5.0 §7.8.6.

export const resizableBar = {
  id: 0x0015,
  name: 'Resizable BAR',
  meaning: 'The size of a BAR is fixed while a guest has it; the host may choose another before.',
  summary: resizableSummary,
  registers: resizableRegisters,
} as const satisfies ExtendedCapability;
