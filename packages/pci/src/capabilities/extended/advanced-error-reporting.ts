import { decoded } from '../../config-space/decoded.js';
import type { ExtendedCapability } from './extended-capability.js';

// PCI Express Base 5.0 §7.8.4.

export const advancedErrorReporting = {
  id: 0x0001,
  name: 'Advanced Error Reporting',
  meaning: 'Errors are the host’s to see and to clear.',
  registers: {
    uncorrectableStatus: decoded(
      0x04,
      4,
      {
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
      },
      { rw1c: 0xffff_ffff },
    ),
    uncorrectableMask: decoded(0x08, 4),
    uncorrectableSeverity: decoded(0x0c, 4),
    correctableStatus: decoded(
      0x10,
      4,
      {
        receiver: [0, 1],
        badTlp: [6, 1],
        badDllp: [7, 1],
        replayRollover: [8, 1],
        replayTimeout: [12, 1],
        advisory: [13, 1],
      },
      { rw1c: 0xffff_ffff },
    ),
    correctableMask: decoded(0x14, 4),
    capabilitiesControl: decoded(0x18, 4, {
      firstErrorPointer: [0, 5],
      ecrcGenerationCapable: [5, 1],
      ecrcGeneration: [6, 1],
      ecrcCheckCapable: [7, 1],
      ecrcCheck: [8, 1],
    }),
    headerLog1: decoded(0x1c, 4),
    headerLog2: decoded(0x20, 4),
    headerLog3: decoded(0x24, 4),
    headerLog4: decoded(0x28, 4),
  },
} as const satisfies ExtendedCapability;
