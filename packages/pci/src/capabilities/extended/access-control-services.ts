import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.8.

export const accessControlServices = {
  id: 0x000d,
  name: 'Access Control Services',
  meaning: 'Isolation rests on it: only the host sets it.',
  registers: {
    capability: decoded(0x04, 2, {
      sourceValidation: [0, 1],
      translationBlocking: [1, 1],
      requestRedirect: [2, 1],
      completionRedirect: [3, 1],
      upstreamForwarding: [4, 1],
      egressControl: [5, 1],
      directTranslated: [6, 1],
      egressVectorSize: [8, 8],
    }),
    control: decoded(0x06, 2),
  },
} as const satisfies ExtendedCapability;
