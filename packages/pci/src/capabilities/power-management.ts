import { readLittleEndian } from '../config-space/access.js';
import type { Capability } from './capability.js';

// PCI Bus Power Management Interface 1.2 §3.2; PCI Express Base 5.0 §7.5.2.
//
//   +0 id │ +1 next │ +2 capabilities (PMC)
//   +4 control and status (PMCSR) │ +6 bridge extensions │ +7 data

const powerState = 0x0003;

const powerStates = ['D0', 'D1', 'D2', 'D3hot'] as const;

const version = (bytes: Uint8Array): number => (bytes[2] ?? 0) & 0x7;
const controlStatus = (bytes: Uint8Array): number => readLittleEndian(bytes, 4, 2);
/** §3.2.3, in units of 1 mA. */
const auxiliaryMilliamperes = [0, 55, 100, 160, 220, 270, 320, 375] as const;

/** Bit n of the field: from the nth of the five states. */
function eventStates(mask: number): string {
  const names = [...powerStates, 'D3cold'].filter((_, index) => (mask & (1 << index)) !== 0);
  return names.length === 0 ? 'none' : names.join(' ');
}

export const powerManagement = {
  id: 0x01,
  name: 'Power Management',
  size: 8,
  meaning:
    'The guest has a power state of its own: what it sets never reaches the device, which the host keeps awake.',
  summary: (bytes) => `version ${version(bytes)}, in ${powerStates[controlStatus(bytes) & powerState] ?? 'D0'}`,
  remarks: ({ bytes }) => [
    (controlStatus(bytes) & 0x0008) === 0
      ? 'It loses its state from D3hot to D0, so the host can reset it that way (pm).'
      : 'It keeps its state from D3hot to D0, so a change of power state does not reset it.',
  ],
  registers: {
    powerManagementCapabilities: {
      offset: 2,
      width: 2,
      reset: 0,
      ro: 0xffff,
      fields: {
        version: [0, 3],
        pmeClock: [3, 1],
        immediateReadinessOnD0: [4, 1],
        deviceSpecificInitialization: [5, 1],
        auxiliaryCurrent: [6, 3, (value) => `${auxiliaryMilliamperes[value] ?? 0} mA`],
        d1Support: [9, 1],
        d2Support: [10, 1],
        pmeSupport: [11, 5, eventStates],
      },
      guest: { virtual: 0xf9c8, why: 'No power event reaches a guest, so none is offered.' },
    },
    powerManagementControlStatus: {
      offset: 4,
      width: 2,
      reset: 0x0008,
      ro: 0x6008,
      rw1c: 0x8000,
      rsvdp: 0x00f4,
      fields: {
        powerState: [0, 2, powerStates],
        noSoftReset: [3, 1],
        pmeEnable: [8, 1],
        dataSelect: [9, 4],
        dataScale: [13, 2],
        pmeStatus: [15, 1],
      },
      guest: {
        virtual: 0x810b,
        shadowWrite: powerState,
        notify: powerState,
        why: 'The host owns the power state; in the guest’s own D1 to D3 nothing is mapped or forwarded.',
      },
    },
    bridgeSupportExtensions: { offset: 6, width: 1, reset: 0, ro: 0xff, guest: { why: 'Read from the device.' } },
    data: { offset: 7, width: 1, reset: 0, ro: 0xff, guest: { why: 'Read from the device.' } },
  },
  geometry: ({ offset }) => ({ powerState: { offset: offset + 4, mask: powerState } }),
} as const satisfies Capability;
