import type { GuestBar } from '../bars/bar.js';
import { readLittleEndian } from '../config-space/access.js';
import { type BitField, extractField } from '../config-space/register.js';
import type { Capability, CapabilityInstance, InterruptGeometry } from './capability.js';

// PCI Local Bus 3.0 §6.8.2; PCI Express Base 5.0 §7.7.2.
//
//   +0 id │ +1 next │ +2 message control
//   +4 table:          offset (31:3), BAR index (2:0)
//   +8 pending bits:   offset (31:3), BAR index (2:0)

const entryBytes = 16n;
const tableSize: BitField = [0, 11];
const barIndex: BitField = [0, 3];
const qwordOffset: BitField = [3, 29];
const latched = 'Fixed at attach: the table is trapped where it was then, whatever the device says later.';

export const msiX = {
  id: 0x11,
  name: 'MSI-X',
  size: 12,
  registers: {
    messageControl: {
      offset: 2,
      width: 2,
      reset: 0,
      ro: 0x07ff,
      rsvdp: 0x3800,
      fields: { tableSize, functionMask: [14, 1], enable: [15, 1] },
      guest: {
        virtual: 0xffff,
        latch: 0x07ff,
        shadowWrite: 0xc000,
        notify: 0xc000,
        why: 'The device is enabled and unmasked only after the messages are bound.',
      },
    },
    table: {
      offset: 4,
      width: 4,
      reset: 0,
      ro: 0xffff_ffff,
      fields: { barIndex, qwordOffset },
      guest: { virtual: 0xffff_ffff, latch: 0xffff_ffff, why: latched },
    },
    pendingBitArray: {
      offset: 8,
      width: 4,
      reset: 0,
      ro: 0xffff_ffff,
      fields: { barIndex, qwordOffset },
      guest: { virtual: 0xffff_ffff, latch: 0xffff_ffff, why: latched },
    },
  },
  geometry,
} as const satisfies Capability;

interface Area {
  readonly name: string;
  readonly barIndex: number;
  readonly start: bigint;
  readonly end: bigint;
}

/** §6.8.2.4 to §6.8.2.5: both areas whole inside memory BARs, on bytes of their own. */
function geometry({ offset, bytes, bars }: CapabilityInstance): InterruptGeometry | { readonly refusal: string } {
  const vectorCount = extractField(readLittleEndian(bytes, 2, 2), tableSize) + 1;
  const table = area('table', readLittleEndian(bytes, 4, 4), BigInt(vectorCount) * entryBytes);
  const pba = area('pending bit array', readLittleEndian(bytes, 8, 4), BigInt(Math.ceil(vectorCount / 64) * 8));
  const refusal = misplaced(table, bars) ?? misplaced(pba, bars) ?? overlapping(table, pba);
  if (refusal !== undefined) return { refusal };
  return {
    msix: {
      offset,
      controlOffset: offset + msiX.registers.messageControl.offset,
      vectorCount,
      tableBarIndex: table.barIndex,
      tableOffset: Number(table.start),
      pbaBarIndex: pba.barIndex,
      pbaOffset: Number(pba.start),
    },
  };
}

function area(name: string, pointer: number, sizeBytes: bigint): Area {
  const start = BigInt(extractField(pointer, qwordOffset)) * 8n;
  return { name, barIndex: extractField(pointer, barIndex), start, end: start + sizeBytes };
}

function misplaced(area: Area, bars: readonly GuestBar[]): string | undefined {
  if (area.barIndex > 5) return `its ${area.name} names BAR ${area.barIndex}; there are BARs 0-5`;
  const bar = bars.find((candidate) => candidate.index === area.barIndex);
  if (bar === undefined) return `its ${area.name} is in BAR ${area.barIndex}, which is empty or an upper half`;
  if (bar.kind !== 'memory') return `its ${area.name} is in BAR ${area.barIndex}, which is not memory`;
  if (area.end > bar.hostSizeBytes) {
    return `its ${area.name} ends at byte ${area.end} of BAR ${area.barIndex}, which has ${bar.hostSizeBytes}`;
  }
  return undefined;
}

function overlapping(table: Area, pba: Area): string | undefined {
  const apart = table.barIndex !== pba.barIndex || table.end <= pba.start || pba.end <= table.start;
  return apart ? undefined : 'its pending bit array lies on its table';
}
