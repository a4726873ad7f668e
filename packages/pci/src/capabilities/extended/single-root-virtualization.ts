import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { byteCount, hexWord } from './words.js';

// PCI Express Base 5.0 §9.3.3.

/** Bit n stands for pages of 4096 bytes, doubled n times. */
function pageSizes(mask: number): string {
  const sizes = Array.from({ length: 32 }, (_, index) => (((mask >>> index) & 1) === 1 ? byteCount(12 + index) : ''));
  return sizes.filter((size) => size !== '').join(' ') || 'none';
}

export const singleRootVirtualization = {
  id: 0x0010,
  name: 'Single Root I/O Virtualization',
  meaning: 'It makes new functions: only the host does. Functions it has made can be passed through one by one.',
  summary: (bytes) => {
    const isOn = (readLittleEndian(bytes, 0x08, 2) & 1) === 1;
    const [total, set] = [readLittleEndian(bytes, 0x0e, 2), readLittleEndian(bytes, 0x10, 2)];
    const [first, stride] = [readLittleEndian(bytes, 0x14, 2), readLittleEndian(bytes, 0x16, 2)];
    const place = `the first ${first} behind this one, then every ${stride}`;
    const deviceId = hexWord(readLittleEndian(bytes, 0x1a, 2));
    return `${isOn ? set : 0} of ${total} virtual functions on, device id ${deviceId}; ${place}`;
  },
  registers: {
    capabilities: decoded(0x04, 4, {
      migration: [0, 1],
      alternativeRoutingPreserved: [1, 1],
      tenBitTag: [2, 1],
      migrationInterrupt: [21, 11],
    }),
    control: decoded(0x08, 2, {
      enable: [0, 1],
      migration: [1, 1],
      migrationInterrupt: [2, 1],
      memorySpace: [3, 1],
      alternativeRouting: [4, 1],
      tenBitTag: [5, 1],
    }),
    status: decoded(0x0a, 2, { migration: [0, 1] }),
    initialFunctions: decoded(0x0c, 2),
    totalFunctions: decoded(0x0e, 2),
    functions: decoded(0x10, 2),
    dependencyLink: decoded(0x12, 1),
    firstOffset: decoded(0x14, 2),
    stride: decoded(0x16, 2),
    deviceId: decoded(0x1a, 2),
    supportedPageSizes: decoded(0x1c, 4, { sizes: [0, 32, pageSizes] }),
    systemPageSize: decoded(0x20, 4, { size: [0, 32, pageSizes] }),
    bar0: decoded(0x24, 4),
    bar1: decoded(0x28, 4),
    bar2: decoded(0x2c, 4),
    bar3: decoded(0x30, 4),
    bar4: decoded(0x34, 4),
    bar5: decoded(0x38, 4),
    migrationStateArray: decoded(0x3c, 4),
  },
} as const satisfies ExtendedCapability;
