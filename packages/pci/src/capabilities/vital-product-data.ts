import type { Capability } from './capability.js';

// PCI Local Bus 3.0 appendix I; PCI Express Base 5.0 §7.9.19.
//
//   +0 id │ +1 next │ +2 address (14:0), flag F (15)
//   +4 data
//
// Software writes an address with F = 0 and waits for F = 1: data holds what was read. An address with F = 1
// starts a write of data into the device's storage.

export const vitalProductData = {
  id: 0x03,
  name: 'Vital Product Data',
  size: 8,
  meaning: 'The guest reads the product data of the card; it cannot write them.',
  registers: {
    vpdAddress: {
      offset: 2,
      width: 2,
      reset: 0,
      rsvdp: 0x0003,
      fields: { address: [0, 15], flag: [15, 1] },
      guest: {
        virtual: 0x0003,
        hardwareWrite: 0x7ffc,
        // The device leaves F at 1 after a read: a write-back of what was read would start a storage write.
        hardwareZero: 0x8000,
        why: 'A guest may read the product data; flag F stays 0 in every write, so it never starts a storage write.',
      },
    },
    vpdData: {
      offset: 4,
      width: 4,
      reset: 0,
      guest: { why: 'Read from the device; writes would end in its storage, so they are dropped.' },
    },
  },
} as const satisfies Capability;
