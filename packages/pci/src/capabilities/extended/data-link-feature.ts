import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.7.4.

export const dataLinkFeature = {
  id: 0x0025,
  name: 'Data Link Feature',
  meaning: 'Link settings belong to both ends of the link.',
  registers: {
    capabilities: decoded(0x04, 4, { scaledFlowControl: [0, 1], localFeatures: [1, 22], exchange: [31, 1] }),
    status: decoded(0x08, 4, { scaledFlowControl: [0, 1], remoteFeatures: [1, 22], valid: [31, 1] }),
  },
} as const satisfies ExtendedCapability;
