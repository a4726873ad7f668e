import { romIndex } from '../bars/bar.js';
import { isPowerOfTwo, pageBytes } from '../bars/sizing.js';
import type { Resource } from '../resource.js';
import { type GuestMemory, neededMmioHole, type Placement, placeBars, type PlacedBarInput } from './hvmloader.js';

/** First slot that xl and xenpt give to a passed-through function. */
const firstSlot = 5;

const mebibyte = 1n << 20n;

/**
 * What QEMU has on the guest's bus beside the devices that are passed through: the IDE controller, the Xen platform
 * device and, of the rest, what a guest without `nographic` and with one emulated card has (qemu-xen, i440fx).
 */
export const emulatedBars: readonly PlacedBarInput[] = [
  { guestDevfn: 0x09, index: 4, kind: 'io', sizeBytes: 16n, is64Bit: false },
  { guestDevfn: 0x10, index: 0, kind: 'io', sizeBytes: 256n, is64Bit: false },
  { guestDevfn: 0x10, index: 1, kind: 'memory', sizeBytes: 16n * mebibyte, is64Bit: false },
];

/** A VGA card and an emulated network card: the most that a common guest has of large BARs. */
export const emulatedDisplayAndNetwork: readonly PlacedBarInput[] = [
  { guestDevfn: 0x18, index: 0, kind: 'memory', sizeBytes: 32n * mebibyte, is64Bit: false },
  { guestDevfn: 0x18, index: 6, kind: 'rom', sizeBytes: 1n << 16n, is64Bit: false },
  { guestDevfn: 0x20, index: 0, kind: 'memory', sizeBytes: 1n << 17n, is64Bit: false },
  { guestDevfn: 0x20, index: 6, kind: 'rom', sizeBytes: 1n << 18n, is64Bit: false },
];

/** The BARs of one function as a guest sees them in a slot: memory is padded to a page. What no BAR has is left out. */
export function guestBars(resources: readonly Resource[], guestDevfn: number): PlacedBarInput[] {
  return resources
    .filter(({ sizeBytes, kind }) => isPowerOfTwo(sizeBytes) && (kind !== 'rom' || sizeBytes <= 1n << 24n))
    .map(({ index, kind, sizeBytes, is64Bit }) => ({
      guestDevfn,
      index: kind === 'rom' ? romIndex : index,
      kind,
      sizeBytes: kind === 'io' || sizeBytes >= pageBytes ? sizeBytes : pageBytes,
      is64Bit,
    }));
}

/** Less than half of what the smallest hole (192 MiB) and the ports leave beside what is emulated. */
const memoryToSpare = 64n * mebibyte;
const portsToSpare = 4096n;

/** Whether a function's BARs are so small that they have a place in every guest that has nothing else. */
export function fitsAnyGuest(resources: readonly Resource[]): boolean {
  let memory = 0n;
  let ports = 0n;
  for (const { kind, sizeBytes } of resources) {
    if (kind === 'io') ports += sizeBytes;
    else memory += sizeBytes < pageBytes ? pageBytes : sizeBytes;
  }
  return memory <= memoryToSpare && ports <= portsToSpare;
}

export interface FitReport {
  readonly placement: Placement;
  /** Whether everything has a place below 4 GiB. */
  readonly below4Gib: boolean;
  /** `mmio_hole=` in MiB that gives everything a place below 4 GiB, where it has none now; null: none does. */
  readonly neededHoleMib: number | null;
}

export interface FitDevice {
  readonly resources: readonly Resource[];
  /** Left out: the next free slot from 5 on. */
  readonly guestDevfn?: number;
}

/** Places the BARs of `devices` beside `emulated` in a guest. */
export function fitDevices(
  devices: readonly FitDevice[],
  memory: GuestMemory,
  emulated: readonly PlacedBarInput[] = [...emulatedBars, ...emulatedDisplayAndNetwork],
): FitReport {
  const bars = devices.flatMap(({ resources, guestDevfn }, index) =>
    guestBars(resources, guestDevfn ?? (firstSlot + index) << 3),
  );
  const all = [...emulated, ...bars];
  const placement = placeBars(all, memory);
  const below4Gib = placement.bars.every(
    ({ kind, address }) => address !== null && (kind === 'io' || address < 1n << 32n),
  );
  return { placement, below4Gib, neededHoleMib: below4Gib ? null : neededMmioHole(all, memory) };
}
