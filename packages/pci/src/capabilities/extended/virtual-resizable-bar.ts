import type { ExtendedCapability } from './extended-capability.js';
import { resizableRegisters, resizableSummary } from './resizable.js';

// PCI Express Base 5.0 §9.3.7.5.

export const virtualResizableBar = {
  id: 0x0024,
  name: 'VF Resizable BAR',
  meaning: 'The size of a BAR is fixed while a guest has it; the host may choose another before.',
  summary: resizableSummary,
  registers: resizableRegisters,
} as const satisfies ExtendedCapability;
