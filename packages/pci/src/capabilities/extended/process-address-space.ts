import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { onOff } from './words.js';

// PCI Express Base 5.0 §7.8.8.

export const processAddressSpace = {
  id: 0x001b,
  name: 'Process Address Space ID',
  meaning: 'Address spaces of processes belong to the host’s IOMMU.',
  summary: (bytes) => {
    const [capability, control] = [readLittleEndian(bytes, 0x04, 2), readLittleEndian(bytes, 0x06, 2)];
    return `${onOff(control)}, ids of ${(capability >>> 8) & 0x1f} bits`;
  },
  registers: {
    capability: decoded(0x04, 2, {
      execute: [1, 1],
      privileged: [2, 1],
      maximumWidth: [8, 5, (value) => `${value} bits`],
    }),
    control: decoded(0x06, 2, { enable: [0, 1], execute: [1, 1], privileged: [2, 1] }),
  },
} as const satisfies ExtendedCapability;
