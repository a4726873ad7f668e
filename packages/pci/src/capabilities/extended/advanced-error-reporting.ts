import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { BitField } from '../../config-space/register.js';
import type { ExtendedCapability } from './extended-capability.js';
import { switchedOn } from './words.js';

// PCI Express Base 5.0 §7.8.4.

const uncorrectable = {
  dataLinkProtocol: [4, 1],
  surpriseDown: [5, 1],
  poisoned: [12, 1],
  flowControl: [13, 1],
  completionTimeout: [14, 1],
  completerAbort: [15, 1],
  unexpectedCompletion: [16, 1],
  receiverOverflow: [17, 1],
  malformed: [18, 1],
  ecrc: [19, 1],
  unsupportedRequest: [20, 1],
  acsViolation: [21, 1],
  internal: [22, 1],
  multicastBlocked: [23, 1],
  atomicBlocked: [24, 1],
  prefixBlocked: [25, 1],
  poisonedBlocked: [26, 1],
} as const satisfies Readonly<Record<string, BitField>>;

const correctable = {
  receiver: [0, 1],
  badTlp: [6, 1],
  badDllp: [7, 1],
  replayRollover: [8, 1],
  replayTimeout: [12, 1],
  advisory: [13, 1],
  correctedInternal: [14, 1],
  headerLogOverflow: [15, 1],
} as const satisfies Readonly<Record<string, BitField>>;

const statusOf = (bytes: Uint8Array) => ({
  uncorrectable: readLittleEndian(bytes, 0x04, 4),
  correctable: readLittleEndian(bytes, 0x10, 4),
});

export const advancedErrorReporting = {
  id: 0x0001,
  name: 'Advanced Error Reporting',
  meaning: 'Errors are the host’s to see and to clear.',
  summary: (bytes) => {
    const status = statusOf(bytes);
    const fatal = switchedOn(uncorrectable, status.uncorrectable);
    return `uncorrectable errors: ${fatal}; correctable ones: ${switchedOn(correctable, status.correctable)}`;
  },
  remarks: (bytes) =>
    switchedOn(uncorrectable, statusOf(bytes).uncorrectable) === 'none'
      ? []
      : ['It has met errors that nobody has cleared: look at dom0’s log before a guest relies on it.'],
  registers: {
    uncorrectableStatus: decoded(0x04, 4, uncorrectable, { rw1c: 0xffff_ffff }),
    uncorrectableMask: decoded(0x08, 4, uncorrectable),
    uncorrectableSeverity: decoded(0x0c, 4, uncorrectable),
    correctableStatus: decoded(0x10, 4, correctable, { rw1c: 0xffff_ffff }),
    correctableMask: decoded(0x14, 4, correctable),
    capabilitiesControl: decoded(0x18, 4, {
      firstErrorPointer: [0, 5],
      ecrcGenerationCapable: [5, 1],
      ecrcGeneration: [6, 1],
      ecrcCheckCapable: [7, 1],
      ecrcCheck: [8, 1],
      multipleHeadersCapable: [9, 1],
      multipleHeaders: [10, 1],
      prefixLogPresent: [11, 1],
      completionTimeoutLogCapable: [12, 1],
    }),
    headerLog1: decoded(0x1c, 4),
    headerLog2: decoded(0x20, 4),
    headerLog3: decoded(0x24, 4),
    headerLog4: decoded(0x28, 4),
  },
} as const satisfies ExtendedCapability;
