import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';
import { latencyScales } from './words.js';

// PCI Express Base 5.0 §7.8.2.

/** Each scale is 32 times the one before, from 1 ns. */
function latency(register: number): string {
  const [value, scale] = [register & 0x3ff, (register >>> 10) & 7];
  return scale > 5 ? 'reserved' : `${value * 32 ** scale} ns`;
}

const fields = { value: [0, 10], scale: [10, 3, latencyScales] } as const;

export const latencyTolerance = {
  id: 0x0018,
  name: 'Latency Tolerance Reporting',
  meaning: 'It lets the host sleep: the host sets it.',
  summary: (bytes) => {
    const [snoop, noSnoop] = [readLittleEndian(bytes, 0x04, 2), readLittleEndian(bytes, 0x06, 2)];
    return `at most ${latency(snoop)} with snooping, ${latency(noSnoop)} without`;
  },
  registers: {
    maximumSnoop: decoded(0x04, 2, fields),
    maximumNoSnoop: decoded(0x06, 2, fields),
  },
} as const satisfies ExtendedCapability;
