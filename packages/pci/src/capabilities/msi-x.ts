import type { GuestBar } from '../bars/bar.js';
import { readLittleEndian } from '../config-space/access.js';
import { type BitField, extractField } from '../config-space/register.js';
import type { Capability, CapabilityInstance, HostRange, InterruptGeometry, WithheldBytes } from './capability.js';

// PCI Local Bus 3.0 §6.8.2; PCI Express Base 5.0 §7.7.2.
//
//   +0 id │ +1 next │ +2 message control
//   +4 table:          offset (31:3), BAR index (2:0)
//   +8 pending bits:   offset (31:3), BAR index (2:0)

const entryBytes = 16n;
const pageBytes = 4096n;
/** §6.8.2.3: one less than the number of entries. */
const tableSize: BitField = [0, 11, (value) => `${value + 1}`];
const barIndex: BitField = [0, 3];
const qwordOffset: BitField = [3, 29, (value) => `0x${(value * 8).toString(16)} bytes`];
const latched = 'Fixed at attach: the table is trapped where it was then, whatever the device says later.';

export const msiX = {
  id: 0x11,
  name: 'MSI-X',
  size: 12,
  meaning: 'The guest writes a table of ours; the hypervisor programs the device’s own, which no guest reaches.',
  summary,
  remarks: ({ bytes, bars }) => neighbours(bytes, bars),
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
  withheld,
  hostReadOnly,
} as const satisfies Capability;

function summary(bytes: Uint8Array): string {
  const { vectorCount, table, pba } = areas(bytes);
  const at = ({ barIndex, start }: Area) => `BAR ${barIndex} at 0x${start.toString(16)}`;
  const vectors = vectorCount === 1 ? '1 vector' : `${vectorCount} vectors`;
  return `${vectors}, table in ${at(table)}, pending bits in ${at(pba)}`;
}

/** What else stands on the pages of the table, of which nothing is mapped. */
function neighbours(bytes: Uint8Array, bars: readonly GuestBar[]): string[] {
  const { table, pba } = areas(bytes);
  const bar = bars.find(({ index }) => index === table.barIndex);
  if (bar === undefined) return [];
  const first = table.start - (table.start % pageBytes);
  const last = table.end + ((pageBytes - (table.end % pageBytes)) % pageBytes);
  const end = last < bar.hostSizeBytes ? last : bar.hostSizeBytes;
  const own = `0x${first.toString(16)} to 0x${(end - 1n).toString(16)} of BAR ${table.barIndex}`;
  const lines = [`Bytes ${own} are trapped, not mapped: the table is there.`];
  if (first === table.start && end === table.end) return lines;
  const isPba = pba.barIndex === table.barIndex && pba.start < end && pba.end > first;
  const what = isPba ? 'The pending bits and other registers' : 'Other registers';
  return [
    ...lines,
    `${what} on these pages are reached through the device model, which is slower than being mapped.`,
  ];
}

interface Area {
  readonly name: string;
  readonly barIndex: number;
  readonly start: bigint;
  readonly end: bigint;
}

/** §6.8.2.4 to §6.8.2.5: both areas whole inside memory BARs, on bytes of their own. */
function geometry({ offset, bytes, bars }: CapabilityInstance): InterruptGeometry | { readonly refusal: string } {
  const { vectorCount, table, pba } = areas(bytes);
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

/**
 * The table, as far as it lies in a memory BAR, however wrong the rest is: the device may work by it all the same.
 * A table in no BAR, or behind the end of its own, is nowhere that a guest could reach.
 */
function withheld({ bytes, bars }: CapabilityInstance): WithheldBytes | undefined {
  const { table } = areas(bytes);
  const bar = bars.find(({ index, kind }) => index === table.barIndex && kind === 'memory');
  if (bar === undefined || table.start >= bar.hostSizeBytes) return undefined;
  const end = table.end < bar.hostSizeBytes ? table.end : bar.hostSizeBytes;
  return { barIndex: table.barIndex, offset: Number(table.start), sizeBytes: Number(end - table.start) };
}

/** Where the device says that table and pending bits are, which is what Xen goes by, be it right or not. */
function hostReadOnly({ bytes, bars }: CapabilityInstance): HostRange[] {
  const { table, pba } = areas(bytes);
  return [table, pba].flatMap(({ barIndex, start, end }) => {
    const bar = bars.find(({ index, kind }) => index === barIndex && kind === 'memory');
    return bar === undefined ? [] : [{ start: bar.hostStart + start, end: bar.hostStart + end }];
  });
}

function areas(bytes: Uint8Array): { readonly vectorCount: number; readonly table: Area; readonly pba: Area } {
  const vectorCount = extractField(readLittleEndian(bytes, 2, 2), tableSize) + 1;
  const table = area('table', readLittleEndian(bytes, 4, 4), BigInt(vectorCount) * entryBytes);
  const pba = area('pending bit array', readLittleEndian(bytes, 8, 4), BigInt(Math.ceil(vectorCount / 64) * 8));
  return { vectorCount, table, pba };
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
