import type { Capability } from './capability.js';

// PCI Local Bus 3.0 appendix H (id 09h); PCI Express Base 5.0 §7.9.4.
//
//   +0 id │ +1 next │ +2 length, header included │ +3 … the vendor's

const headerBytes = 3;

function length(bytes: Uint8Array): number {
  return bytes[2] ?? 0;
}

export const vendorSpecific = {
  id: 0x09,
  name: 'Vendor Specific',
  size: length,
  meaning: 'The guest reads it and writes nothing of it, unless the operator opens a field (attach --allow).',
  summary: (bytes) => `${length(bytes)} bytes`,
  repeatable: true,
  registers: {
    length: {
      offset: 2,
      width: 1,
      reset: 0,
      ro: 0xff,
      guest: { virtual: 0xff, latch: 0xff, why: 'The list stays what it was at attach.' },
    },
  },
  refusal: (bytes) =>
    length(bytes) < headerBytes ? `its length is ${length(bytes)}, less than its own header of 3 bytes` : undefined,
} as const satisfies Capability;
