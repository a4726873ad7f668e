import { readLittleEndian } from '../config-space/access.js';
import { type Capability, type Circumstances, plainCircumstances } from './capability.js';

// PCI ECN "Advanced Capabilities for Conventional PCI", 27 July 2006.
//
//   +0 id │ +1 next │ +2 length (6) │ +3 capabilities: transactions pending (0), function level reset (1)
//   +4 control: initiate function level reset (0) │ +5 status: transactions pending (0)

const sizeBytes = 6;
const capabilityBits = 0x03;
const functionLevelReset = 0x02;
const initiate = 0x01;

export const advancedFeatures = {
  id: 0x13,
  name: 'Advanced Features',
  // The whole word: what follows the status is padding.
  size: 8,
  meaning: 'A reset that the guest asks for is carried out by the host, which restores the function; never raw.',
  registers: {
    length: {
      offset: 2,
      width: 1,
      reset: 0,
      ro: 0xff,
      guest: { virtual: 0xff, latch: 0xff, why: 'The list stays what it was at attach.' },
    },
    capabilities: {
      offset: 3,
      width: 1,
      reset: 0,
      ro: 0xff,
      fields: { transactionsPending: [0, 1], functionLevelReset: [1, 1] },
      guest: { virtual: 0xff, latch: capabilityBits, why: 'What was found at attach decides what is carried out.' },
    },
    control: {
      offset: 4,
      width: 1,
      reset: 0,
      rsvdp: 0xfe,
      fields: { initiateFunctionLevelReset: [0, 1] },
      guest: {
        virtual: 0xff,
        shadowWrite: initiate,
        notify: initiate,
        why: 'The host resets the function and restores it; the bit never reaches the device.',
      },
    },
    status: {
      offset: 5,
      width: 1,
      reset: 0,
      ro: 0xff,
      fields: { transactionsPending: [0, 1] },
      guest: { why: 'Read from the device.' },
    },
  },
  refusal: (bytes, circumstances = plainCircumstances) => {
    const length = bytes[2] ?? 0;
    if (length !== sizeBytes) return `its length is ${length}, not ${sizeBytes}`;
    return offersReset(bytes, circumstances)
      ? undefined
      : 'a reset behind the hypervisor’s back would lose its interrupt set-up, and the host cannot do it instead';
  },
  geometry: ({ offset }) => ({ functionResets: [{ offset: offset + 4, mask: initiate }] }),
} as const satisfies Capability;

function offersReset(bytes: Uint8Array, { functionReset }: Circumstances): boolean {
  return functionReset && (readLittleEndian(bytes, 3, 1) & functionLevelReset) !== 0;
}
