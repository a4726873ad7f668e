import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { onOff, switchedOn } from './words.js';

// PCI Express Base 5.0 §7.9.16.

const roles = { requester: [0, 1], responder: [1, 1], root: [2, 1] } as const;
const granularity = (value: number): string => (value === 0 ? 'unknown' : value === 255 ? '>254 ns' : `${value} ns`);

export const precisionTime = {
  id: 0x001f,
  name: 'Precision Time Measurement',
  meaning: 'Time comes from the host’s root.',
  summary: (bytes) => {
    const [capability, control] = [readLittleEndian(bytes, 0x04, 4), readLittleEndian(bytes, 0x08, 4)];
    return `${onOff(control)}, can be ${switchedOn(roles, capability)}`;
  },
  registers: {
    capability: decoded(0x04, 4, { ...roles, localGranularity: [8, 8, granularity] }),
    control: decoded(0x08, 4, { enable: [0, 1], rootSelect: [1, 1], granularity: [8, 8, granularity] }),
  },
} as const satisfies ExtendedCapability;
