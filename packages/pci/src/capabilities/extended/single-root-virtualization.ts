import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §9.3.3.

export const singleRootVirtualization = {
  id: 0x0010,
  name: 'Single Root I/O Virtualization',
  meaning: 'It makes new functions: only the host does. Functions it has made can be passed through one by one.',
  registers: {
    capabilities: decoded(0x04, 4),
    control: decoded(0x08, 2, {
      enable: [0, 1],
      migration: [1, 1],
      migrationInterrupt: [2, 1],
      memorySpace: [3, 1],
      alternativeRouting: [4, 1],
    }),
    status: decoded(0x0a, 2),
    initialFunctions: decoded(0x0c, 2),
    totalFunctions: decoded(0x0e, 2),
    functions: decoded(0x10, 2),
    dependencyLink: decoded(0x12, 1),
    firstOffset: decoded(0x14, 2),
    stride: decoded(0x16, 2),
    deviceId: decoded(0x1a, 2),
    supportedPageSizes: decoded(0x1c, 4),
    systemPageSize: decoded(0x20, 4),
    bar0: decoded(0x24, 4),
    bar1: decoded(0x28, 4),
    bar2: decoded(0x2c, 4),
    bar3: decoded(0x30, 4),
    bar4: decoded(0x34, 4),
    bar5: decoded(0x38, 4),
    migrationStateArray: decoded(0x3c, 4),
  },
} as const satisfies ExtendedCapability;
