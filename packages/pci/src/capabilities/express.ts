import { readLittleEndian } from '../config-space/access.js';
import type { Register, RegisterSet } from '../config-space/register.js';
import { type Capability, type CapabilityInstance, type Circumstances, plainCircumstances } from './capability.js';

// PCI Express Base 5.0 §7.5.3; version 1: PCI Express Base 1.1 §7.8.
//
//   +0   id, next, capabilities (version 3:0, device type 7:4)
//   +4   device capabilities          +8   device control, +a status
//   +c   link capabilities            +10  link control, +12 status        (not of a root complex endpoint, version 1)
//   +14  slot and root: not of endpoints
//   +24  device capabilities 2        +28  device control 2, +2a status 2  (version 2)
//   +2c  link capabilities 2          +30  link control 2, +32 status 2    (version 2)

const deviceSays = 'Read from the device.';
const hostsErrors = 'Errors are the host’s evidence: the guest reads them and cannot clear them.';
const hostsLink = 'Link and payload settings belong to the whole path to the root; the guest’s are remembered only.';

/** What fields of several registers count in. */
const deviceTypes: Readonly<Record<number, string>> = {
  0: 'Endpoint',
  1: 'Legacy Endpoint',
  4: 'Root Port',
  5: 'Upstream Port',
  6: 'Downstream Port',
  7: 'PCI Express to PCI Bridge',
  8: 'PCI to PCI Express Bridge',
  9: 'Root Complex Integrated Endpoint',
  10: 'Root Complex Event Collector',
};
const linkSpeeds: Readonly<Record<number, string>> = {
  0: 'none',
  1: '2.5 GT/s',
  2: '5 GT/s',
  3: '8 GT/s',
  4: '16 GT/s',
  5: '32 GT/s',
};
const lanes = (value: number): string => `x${value}`;
/** §7.5.3.4: 128 bytes and its doubles; 6 and 7 are reserved. */
const sizesInBytes = ['128 bytes', '256 bytes', '512 bytes', '1024 bytes', '2048 bytes', '4096 bytes'] as const;
/** §7.5.3.3 and §7.5.3.6, of L0s in nanoseconds and of L1 in microseconds. */
const l0sLatencies = ['<64 ns', '<128 ns', '<256 ns', '<512 ns', '<1 us', '<2 us', '<4 us', 'any'] as const;
const l1Latencies = ['<1 us', '<2 us', '<4 us', '<8 us', '<16 us', '<32 us', '<64 us', 'any'] as const;
const exitLatenciesL0s = ['<64 ns', '<128 ns', '<256 ns', '<512 ns', '<1 us', '<2 us', '2-4 us', '>4 us'] as const;
const exitLatenciesL1 = ['<1 us', '<2 us', '<4 us', '<8 us', '<16 us', '<32 us', '32-64 us', '>64 us'] as const;
const activeStates = ['none', 'L0s', 'L1', 'L0s L1'] as const;

/** §7.5.3.18: bit n of the field stands for the speed n + 1. */
function speedsOf(mask: number): string {
  const names = Object.entries(linkSpeeds).filter(([value]) => ((mask << 1) & (1 << Number(value))) !== 0);
  return names.map(([, name]) => name).join(' ') || 'none';
}

const endpoint = 0;
const legacyEndpoint = 1;
const rootComplexEndpoint = 9;

/** Bytes by version and device type; what is not here is not shown. */
const sizes: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  1: { [endpoint]: 0x14, [legacyEndpoint]: 0x14, [rootComplexEndpoint]: 0x0c },
  2: { [endpoint]: 0x3c, [legacyEndpoint]: 0x3c, [rootComplexEndpoint]: 0x3c },
};

const version = (bytes: Uint8Array): number => readLittleEndian(bytes, 2, 2) & 0xf;
const deviceType = (bytes: Uint8Array): number => (readLittleEndian(bytes, 2, 2) >>> 4) & 0xf;

const readOnly = (offset: number, width: 2 | 4): Register => ({
  offset,
  width,
  reset: 0,
  ro: width === 2 ? 0xffff : 0xffff_ffff,
  guest: { why: deviceSays },
});

const functionLevelResetCapable = 0x1000_0000;
const initiateFunctionLevelReset = 0x8000;

const deviceRegisters = ({ functionReset }: Circumstances) =>
  ({
    expressCapabilities: {
      offset: 0x02,
      width: 2,
      reset: 0,
      ro: 0x3fff,
      rsvdp: 0xc000,
      fields: {
        version: [0, 4],
        deviceType: [4, 4, deviceTypes],
        slotImplemented: [8, 1],
        interruptMessageNumber: [9, 5],
      },
      guest: {
        virtual: 0xffff,
        latch: 0xffff,
        why: 'Version and type say how long the capability is: fixed at attach.',
      },
    },
    deviceCapabilities: {
      offset: 0x04,
      width: 4,
      reset: 0,
      ro: 0xffff_ffff,
      fields: {
        maxPayloadSizeSupported: [0, 3, sizesInBytes],
        phantomFunctions: [3, 2],
        extendedTagSupported: [5, 1],
        acceptableL0sLatency: [6, 3, l0sLatencies],
        acceptableL1Latency: [9, 3, l1Latencies],
        roleBasedErrorReporting: [15, 1],
        capturedSlotPowerLimitValue: [18, 8],
        capturedSlotPowerLimitScale: [26, 2],
        functionLevelReset: [28, 1],
      },
      guest: {
        virtual: functionLevelResetCapable,
        latch: functionReset ? functionLevelResetCapable : 0,
        why: 'Offered when the host can reset the function: the guest’s wish is carried out by the host, never raw.',
      },
    },
    deviceControl: {
      offset: 0x08,
      width: 2,
      reset: 0x2810,
      fields: {
        correctableErrorReporting: [0, 1],
        nonFatalErrorReporting: [1, 1],
        fatalErrorReporting: [2, 1],
        unsupportedRequestReporting: [3, 1],
        relaxedOrdering: [4, 1],
        maxPayloadSize: [5, 3, sizesInBytes],
        extendedTag: [8, 1],
        phantomFunctions: [9, 1],
        auxiliaryPower: [10, 1],
        noSnoop: [11, 1],
        maxReadRequestSize: [12, 3, sizesInBytes],
        initiateFunctionLevelReset: [15, 1],
      },
      guest: {
        virtual: 0xffff,
        shadowWrite: functionReset ? 0xfbff : 0x7bff,
        notify: functionReset ? initiateFunctionLevelReset : 0,
        why: hostsLink,
      },
    },
    deviceStatus: {
      offset: 0x0a,
      width: 2,
      reset: 0,
      ro: 0x0030,
      rw1c: 0x004f,
      rsvdz: 0xff80,
      fields: {
        correctableError: [0, 1],
        nonFatalError: [1, 1],
        fatalError: [2, 1],
        unsupportedRequest: [3, 1],
        auxiliaryPower: [4, 1],
        transactionsPending: [5, 1],
        emergencyPowerReduction: [6, 1],
      },
      guest: { why: hostsErrors },
    },
  }) as const satisfies RegisterSet;

/** What the function cannot do itself is not offered, though the host may have another way. */
function offersReset(bytes: Uint8Array, circumstances: Circumstances): Circumstances {
  const { functionReset } = circumstances;
  return {
    ...circumstances,
    functionReset: functionReset && (readLittleEndian(bytes, 4, 4) & functionLevelResetCapable) !== 0,
  };
}

const linkRegisters = {
  linkCapabilities: {
    ...readOnly(0x0c, 4),
    fields: {
      maxLinkSpeed: [0, 4, linkSpeeds],
      maxLinkWidth: [4, 6, lanes],
      activeStatePowerManagement: [10, 2, activeStates],
      l0sExitLatency: [12, 3, exitLatenciesL0s],
      l1ExitLatency: [15, 3, exitLatenciesL1],
      clockPowerManagement: [18, 1],
      surpriseDownReporting: [19, 1],
      linkActiveReporting: [20, 1],
      bandwidthNotification: [21, 1],
      activeStateOptionality: [22, 1],
      portNumber: [24, 8],
    },
  },
  linkControl: {
    offset: 0x10,
    width: 2,
    reset: 0,
    rsvdp: 0xfc04,
    ro: 0x0030,
    fields: {
      activeStatePowerManagement: [0, 2, activeStates],
      readCompletionBoundary: [3, 1, ['64 bytes', '128 bytes']],
      linkDisable: [4, 1],
      retrain: [5, 1],
      commonClock: [6, 1],
      extendedSynch: [7, 1],
      clockPowerManagement: [8, 1],
      autonomousWidthDisable: [9, 1],
    },
    guest: { virtual: 0xffff, shadowWrite: 0x03cb, why: hostsLink },
  },
  linkStatus: {
    offset: 0x12,
    width: 2,
    reset: 0,
    ro: 0x3fff,
    rw1c: 0xc000,
    fields: {
      currentLinkSpeed: [0, 4, linkSpeeds],
      negotiatedLinkWidth: [4, 6, lanes],
      training: [11, 1],
      slotClock: [12, 1],
      linkActive: [13, 1],
      bandwidthManagement: [14, 1],
      autonomousBandwidth: [15, 1],
    },
    guest: { why: hostsErrors },
  },
} as const satisfies RegisterSet;

const version2Registers = (bytes: Uint8Array): RegisterSet => ({
  deviceCapabilities2: {
    ...readOnly(0x24, 4),
    fields: {
      completionTimeoutRanges: [0, 4],
      completionTimeoutDisable: [4, 1],
      alternativeRouting: [5, 1],
      atomicRouting: [6, 1],
      atomicCompleter32: [7, 1],
      atomicCompleter64: [8, 1],
      atomicCompleter128: [9, 1],
      latencyToleranceReporting: [11, 1],
      tag10Completer: [16, 1],
      tag10Requester: [17, 1],
      bufferFlushFill: [18, 2, ['none', 'message', 'WAKE#', 'message and WAKE#']],
      extendedFormat: [20, 1],
      endToEndPrefix: [21, 1],
      emergencyPowerReduction: [24, 2],
    },
  },
  deviceControl2: {
    offset: 0x28,
    width: 2,
    reset: 0,
    fields: {
      completionTimeout: [0, 4],
      completionTimeoutDisable: [4, 1],
      alternativeRouting: [5, 1],
      atomicOperations: [6, 1],
      atomicEgressBlocking: [7, 1],
      idRequestOrdering: [8, 1],
      idCompletionOrdering: [9, 1],
      latencyToleranceReporting: [10, 1],
      tag10Requester: [12, 1],
      bufferFlushFill: [13, 2],
      endToEndPrefixBlocking: [15, 1],
    },
    guest: {
      virtual: 0xffff,
      shadowWrite: 0x001f,
      why: 'The host decides on routing, ordering and atomic operations.',
    },
  },
  deviceStatus2: readOnly(0x2a, 2),
  linkCapabilities2: {
    ...readOnly(0x2c, 4),
    fields: { supportedSpeeds: [1, 7, speedsOf], crosslink: [8, 1], retimers: [23, 2] },
  },
  linkControl2: {
    offset: 0x30,
    width: 2,
    // §7.5.3.19: the target speed starts as the highest supported, link capabilities bits 3:0.
    reset: readLittleEndian(bytes, 0x0c, 4) & 0xf,
    ro: 0x0040,
    fields: {
      targetLinkSpeed: [0, 4, linkSpeeds],
      enterCompliance: [4, 1],
      autonomousSpeedDisable: [5, 1],
      selectableDeEmphasis: [6, 1],
      transmitMargin: [7, 3],
      modifiedCompliance: [10, 1],
      complianceSos: [11, 1],
      complianceDeEmphasis: [12, 4],
    },
    guest: { virtual: 0xffff, shadowWrite: 0x1fbf, why: hostsLink },
  },
  linkStatus2: {
    ...readOnly(0x32, 2),
    fields: {
      currentDeEmphasis: [0, 1, ['-6 dB', '-3.5 dB']],
      equalizationComplete: [1, 1],
      equalizationPhase1: [2, 1],
      equalizationPhase2: [3, 1],
      equalizationPhase3: [4, 1],
      equalizationRequest: [5, 1],
    },
  },
});

export const express = {
  id: 0x10,
  name: 'PCI Express',
  size: (bytes) => sizes[version(bytes)]?.[deviceType(bytes)] ?? 4,
  meaning: 'The guest reads the device and its link; what it sets is remembered for it and never reaches the device.',
  summary,
  remarks,
  registers: (bytes, circumstances = plainCircumstances) => ({
    ...deviceRegisters(offersReset(bytes, circumstances)),
    ...(version(bytes) === 1 && deviceType(bytes) === rootComplexEndpoint ? {} : linkRegisters),
    ...(version(bytes) === 2 ? version2Registers(bytes) : {}),
  }),
  refusal: (bytes) =>
    sizes[version(bytes)]?.[deviceType(bytes)] === undefined
      ? `version ${version(bytes)} of device type ${deviceType(bytes)} is not an endpoint of version 1 or 2`
      : undefined,
  geometry: ({ offset, bytes, circumstances }) =>
    offersReset(bytes, circumstances).functionReset
      ? { functionResets: [{ offset: offset + 8, mask: initiateFunctionLevelReset }] }
      : {},
} as const satisfies Capability;

function summary(bytes: Uint8Array): string {
  const type = deviceTypes[deviceType(bytes)] ?? `type ${deviceType(bytes)}`;
  const head = `version ${version(bytes)}, ${type}`;
  const speedAndWidth = (value: number) =>
    `${lanes((value >>> 4) & 0x3f)} at ${linkSpeeds[value & 0xf] ?? 'unknown'}`;
  const status = readLittleEndian(bytes, 0x12, 2);
  if (deviceType(bytes) === rootComplexEndpoint || (status & 0x3ff) === 0) return head;
  return `${head}, link ${speedAndWidth(status)} of ${speedAndWidth(readLittleEndian(bytes, 0x0c, 4))}`;
}

function remarks({ bytes, circumstances }: CapabilityInstance): string[] {
  if ((readLittleEndian(bytes, 4, 4) & functionLevelResetCapable) === 0) {
    return ['It has no function level reset (FLR): between guests it is reset another way, or not at all.'];
  }
  return circumstances.functionReset
    ? ['Reset by FLR: between guests, and whenever the guest asks for it; the host carries it out.']
    : ['It has FLR, but the host does not offer to reset it, so the guest is not offered it either.'];
}
