import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.13.

const tablePlaces = ['nowhere', 'in this capability', 'in the MSI-X table'] as const;
const modes = ['no steering tags', 'by interrupt vector', 'device-specific'] as const;
const requesters: Readonly<Record<number, string>> = { 0: 'off', 1: 'hints', 3: 'hints, extended ones too' };
const placeOf = (bytes: Uint8Array): number => (readLittleEndian(bytes, 0x04, 4) >>> 9) & 3;
const inMessageTable = 2;

export const processingHints = {
  id: 0x0017,
  name: 'Processing Hints',
  meaning: 'Hints name the host’s processors.',
  summary: (bytes) => {
    const requester = (readLittleEndian(bytes, 0x08, 4) >>> 8) & 3;
    return `${requesters[requester] ?? 'reserved'}; steering tags ${tablePlaces[placeOf(bytes)] ?? 'reserved'}`;
  },
  remarks: (bytes) =>
    placeOf(bytes) === inMessageTable
      ? ['Its steering tags would stand in the MSI-X table, of which a guest has one of its own: it has no hints.']
      : [],
  registers: {
    capability: decoded(0x04, 4, {
      noTagsMode: [0, 1],
      vectorMode: [1, 1],
      deviceMode: [2, 1],
      extended: [8, 1],
      tablePlace: [9, 2, tablePlaces],
      tableSize: [16, 11, (value) => `${value + 1}`],
    }),
    control: decoded(0x08, 4, { mode: [0, 3, modes], requester: [8, 2, requesters] }),
  },
} as const satisfies ExtendedCapability;
