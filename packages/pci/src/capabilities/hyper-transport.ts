import type { ConcealedCapability } from './capability.js';
import { decoded } from '../config-space/decoded.js';
import { readLittleEndian } from '../config-space/access.js';

// PCI Code and ID Assignment 1.11 §2; HyperTransport I/O Link 3.10 §7.2 to §7.12. A function may have several.
//
//   +0 id, next, command: type in bits 15:11, or 15:13 when those are 000 (slave) or 001 (host)

export const hyperTransport = {
  id: 0x08,
  name: 'HyperTransport',
  size: sizeOf,
  reason: 'it sets the device’s conduct on a bus that the host owns',
  registers: {
    command: decoded(2, 2, { type: [11, 5], enable: [0, 1], fixed: [1, 1] }),
  },
} as const satisfies ConcealedCapability;

const msiMapping = 0x15;
const interruptDiscovery = 0x10;

function sizeOf(bytes: Uint8Array): number {
  const command = readLittleEndian(bytes, 2, 2);
  const wide = command >>> 13;
  if (wide === 0) return 0x1c;
  if (wide === 1) return 0x18;
  const type = command >>> 11;
  if (type === interruptDiscovery) return 8;
  // Not fixed: an address of 64 bits follows.
  if (type === msiMapping) return (command & 2) === 0 ? 12 : 4;
  return 4;
}
