import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.9.15.

const triggers = ['disabled', 'fatal errors', 'fatal and non-fatal errors'] as const;
const reasons = ['unmasked uncorrectable error', 'ERR_NONFATAL', 'ERR_FATAL', 'see the extension'] as const;

export const downstreamPortContainment = {
  id: 0x001d,
  name: 'Downstream Port Containment',
  meaning: 'It belongs to ports, which stay with the host.',
  summary: (bytes) => {
    const [control, status] = [readLittleEndian(bytes, 0x06, 2), readLittleEndian(bytes, 0x08, 2)];
    const trigger = triggers[control & 3] ?? 'reserved';
    return `trigger: ${trigger}; ${(status & 1) === 1 ? 'it has triggered: the link is down' : 'not triggered'}`;
  },
  registers: {
    capability: decoded(0x04, 2, {
      interruptMessageNumber: [0, 5],
      rootPortExtensions: [5, 1],
      poisonedBlocking: [6, 1],
      softwareTrigger: [7, 1],
      logSize: [8, 4],
      linkActiveSignaling: [12, 1],
    }),
    control: decoded(0x06, 2, {
      trigger: [0, 2, triggers],
      completionUnsupported: [2, 1],
      interrupt: [3, 1],
      correctableError: [4, 1],
      poisonedBlocking: [5, 1],
      softwareTrigger: [6, 1],
      linkActiveSignaling: [7, 1],
    }),
    status: decoded(
      0x08,
      2,
      {
        triggered: [0, 1],
        reason: [1, 2, reasons],
        interrupt: [3, 1],
        rootPortBusy: [4, 1],
        reasonExtension: [5, 2],
        firstErrorPointer: [8, 5],
      },
      { rw1c: 0x0009 },
    ),
    errorSource: decoded(0x0a, 2),
  },
} as const satisfies ExtendedCapability;
