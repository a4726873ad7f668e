import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { BitField } from '../../config-space/register.js';
import type { ExtendedCapability } from './extended-capability.js';
import { switchedOn } from './words.js';

// PCI Express Base 5.0 §7.7.8.

const services = {
  sourceValidation: [0, 1],
  translationBlocking: [1, 1],
  requestRedirect: [2, 1],
  completionRedirect: [3, 1],
  upstreamForwarding: [4, 1],
  egressControl: [5, 1],
  directTranslated: [6, 1],
} as const satisfies Readonly<Record<string, BitField>>;

export const accessControlServices = {
  id: 0x000d,
  name: 'Access Control Services',
  meaning: 'Isolation rests on it: only the host sets it.',
  summary: (bytes) => {
    const [offered, on] = [readLittleEndian(bytes, 0x04, 2), readLittleEndian(bytes, 0x06, 2)];
    return `offers ${switchedOn(services, offered)}; on: ${switchedOn(services, on)}`;
  },
  registers: {
    capability: decoded(0x04, 2, { ...services, enhanced: [7, 1], egressVectorSize: [8, 8] }),
    control: decoded(0x06, 2, {
      ...services,
      portBlocking: [7, 1],
      downstreamMemoryTarget: [8, 2],
      upstreamMemoryTarget: [10, 2],
      unclaimedRequestRedirect: [12, 1],
    }),
  },
} as const satisfies ExtendedCapability;
