import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { onOff } from './words.js';

// PCI Express Base 5.0 §10.5.2.

export const pageRequest = {
  id: 0x0013,
  name: 'Page Request Interface',
  meaning: 'Page faults of the device go to the host’s IOMMU.',
  summary: (bytes) => {
    const [capacity, allocation] = [readLittleEndian(bytes, 0x08, 4), readLittleEndian(bytes, 0x0c, 4)];
    return `${onOff(readLittleEndian(bytes, 0x04, 2))}, ${allocation} of ${capacity} requests allocated`;
  },
  registers: {
    control: decoded(0x04, 2, { enable: [0, 1], reset: [1, 1] }),
    status: decoded(
      0x06,
      2,
      { responseFailure: [0, 1], unexpectedGroup: [1, 1], stopped: [8, 1], processIdRequired: [15, 1] },
      { rw1c: 0x0003 },
    ),
    capacity: decoded(0x08, 4),
    allocation: decoded(0x0c, 4),
  },
} as const satisfies ExtendedCapability;
