import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { RegisterSet } from '../../config-space/register.js';

// PCI Express Base 5.0 §7.9.1 and §7.9.2, the same layout. From +0x10 on, three words for each channel, one to eight.

const extendedChannels = (bytes: Uint8Array): number => readLittleEndian(bytes, 0x04, 4) & 7;
const arbitrations = ['fixed', '32 phases', '64 phases', '128 phases'] as const;

/** Bit n stands for traffic class n. */
function trafficClasses(mask: number): string {
  const classes = Array.from({ length: 8 }, (_, index) => index).filter((index) => ((mask >>> index) & 1) === 1);
  return classes.length === 0 ? 'none' : classes.join(' ');
}

export function channelRegisters(bytes: Uint8Array): RegisterSet {
  const channels = Array.from({ length: extendedChannels(bytes) + 1 }, (_, index) => {
    const at = 0x10 + 0x0c * index;
    return {
      [`channel${index}Capability`]: decoded(at, 4, {
        portArbitration: [0, 8],
        rejectSnoop: [15, 1],
        timeSlots: [16, 7],
        tableOffset: [24, 8],
      }),
      [`channel${index}Control`]: decoded(at + 4, 4, {
        trafficClasses: [0, 8, trafficClasses],
        loadTable: [16, 1],
        portArbitration: [17, 3],
        channelId: [24, 3],
        enable: [31, 1],
      }),
      [`channel${index}Status`]: decoded(at + 0x0a, 2, { tableStatus: [0, 1], negotiationPending: [1, 1] }),
    };
  });
  const port = {
    portCapability1: decoded(0x04, 4, {
      extendedChannels: [0, 3],
      lowPriorityChannels: [4, 3],
      referenceClock: [8, 2, ['100 ns']],
      tableEntrySize: [10, 2],
    }),
    portCapability2: decoded(0x08, 4, { arbitration: [0, 8], tableOffset: [24, 8] }),
    portControl: decoded(0x0c, 2, { loadTable: [0, 1], arbitration: [1, 3, arbitrations] }),
    portStatus: decoded(0x0e, 2, { tableStatus: [0, 1] }),
  };
  return Object.assign({}, port, ...channels) as RegisterSet;
}

export function channelSummary(bytes: Uint8Array): string {
  const channels = Array.from({ length: extendedChannels(bytes) + 1 }, (_, index) => {
    const control = readLittleEndian(bytes, 0x14 + 0x0c * index, 4);
    const isOn = control >>> 31 === 1;
    const id = (control >>> 24) & 7;
    return `channel ${id} ${isOn ? `carries classes ${trafficClasses(control & 0xff)}` : 'is off'}`;
  });
  return channels.join('; ');
}
