// How Xen's hvmloader places the BARs of an HVM guest (xen/tools/firmware/hvmloader/pci.c, pci_setup, the same from
// 4.17 to 4.20). SeaBIOS and OVMF find everything placed and leave it so.

const gibibyte = 1n << 30n;
const fourGibibytes = 4n * gibibyte;
const pageBytes = 4096n;
/** HVM_BELOW_4G_MMIO_START: the hole where the toolstack asks for none. */
const defaultHoleStart = 0xf000_0000n;
/** RESERVED_MEMBASE: from here on stand the interrupt controllers and the firmware. */
const holeEnd = 0xfc00_0000n;
/** BAR_RELOC_THRESH: larger 64-bit BARs go above 4 GiB at once. */
const alwaysHighBytes = gibibyte;
const ports = { base: 0xc000n, end: 0x1_0000n } as const;
/** xl refuses others (tools/xl/xl_parse.c). */
const mmioHoleMib = { min: 256, max: 3840 } as const;

/** One BAR or ROM that the guest's firmware finds. */
export interface PlacedBarInput {
  /** Slot << 3 | function on the guest's bus 0. */
  readonly guestDevfn: number;
  /** 0–5, 6 the ROM. */
  readonly index: number;
  readonly kind: 'memory' | 'io' | 'rom';
  /** A power of two. */
  readonly sizeBytes: bigint;
  readonly is64Bit: boolean;
}

export interface GuestMemory {
  readonly memoryMib: number;
  /** `mmio_hole=`; null: not set. */
  readonly mmioHoleMib: number | null;
  /** Bits of a guest's physical address, for the end of what is above 4 GiB; default 39. */
  readonly addressBits?: number;
  /** Memory below 4 GiB that `rdm=` keeps free. */
  readonly reserved?: readonly { readonly start: bigint; readonly end: bigint }[];
}

export interface PlacedBar extends PlacedBarInput {
  /** Null: there is no room, and the device does not work. */
  readonly address: bigint | null;
}

export interface Placement {
  /** In the order in which they are placed: largest first. */
  readonly bars: readonly PlacedBar[];
  /** Where the hole below 4 GiB starts. */
  readonly holeStart: bigint;
  readonly holeEnd: bigint;
  /** Whether anything had no room. */
  readonly fits: boolean;
}

/**
 * Where each BAR lands in the guest. With qemu-xen `allow-memory-relocate` is 0: the hole grows only where there is
 * no memory of the guest.
 */
export function placeBars(bars: readonly PlacedBarInput[], memory: GuestMemory): Placement {
  const sorted = sortBySize(bars);
  const below = (bar: PlacedBarInput): boolean =>
    bar.kind !== 'io' && !(bar.is64Bit && bar.sizeBytes > alwaysHighBytes);
  let left = sorted.filter(below).reduce((total, { sizeBytes }) => total + sizeBytes, 0n);
  const lowEnd = lowMemoryEnd(memory);
  const holeStart = chooseHole(left, lowEnd, memory);
  const anyHigh = left > holeEnd - holeStart || sorted.some((bar) => bar.kind !== 'io' && !below(bar));
  const areas: Record<'low' | 'high' | 'ports', Area> = {
    low: { base: holeStart, end: holeEnd, reserved: memory.reserved ?? [] },
    high: { base: highMemoryEnd(memory, holeStart), end: 1n << BigInt(memory.addressBits ?? 39), reserved: [] },
    ports: { ...ports, reserved: [] },
  };
  const placed = sorted.map((bar): PlacedBar => {
    const goesHigh =
      bar.is64Bit && anyHigh && (left > areas.low.end - areas.low.base || bar.sizeBytes > alwaysHighBytes);
    if (bar.kind !== 'io' && bar.sizeBytes <= alwaysHighBytes) left -= bar.sizeBytes;
    return { ...bar, address: take(areas[bar.kind === 'io' ? 'ports' : goesHigh ? 'high' : 'low'], bar.sizeBytes) };
  });
  return { bars: placed, holeStart, holeEnd, fits: placed.every(({ address }) => address !== null) };
}

/**
 * The smallest `mmio_hole=` in MiB with which everything has room, and everything that is not larger than 1 GiB stands
 * below 4 GiB, where every guest finds it. Null: not even the largest does.
 */
export function neededMmioHole(
  bars: readonly PlacedBarInput[],
  memory: Omit<GuestMemory, 'mmioHoleMib'>,
): number | null {
  for (let hole: number = mmioHoleMib.min; hole <= mmioHoleMib.max; hole += 64) {
    const { bars: placed, fits } = placeBars(bars, { ...memory, mmioHoleMib: hole });
    const low = placed.every(
      ({ kind, sizeBytes, address }) =>
        kind === 'io' || sizeBytes > alwaysHighBytes || (address !== null && address < fourGibibytes),
    );
    if (fits && low) return hole;
  }
  return null;
}

interface Area {
  base: bigint;
  readonly end: bigint;
  readonly reserved: NonNullable<GuestMemory['reserved']>;
}

function take(area: Area, sizeBytes: bigint): bigint | null {
  const align = (address: bigint): bigint => (address + sizeBytes - 1n) & ~(sizeBytes - 1n);
  let address = align(area.base);
  for (;;) {
    const here = address;
    const hit = area.reserved.find(({ start, end }) => start < here + sizeBytes && end >= here);
    if (hit === undefined) break;
    address = align(hit.end + 1n);
  }
  if (address + sizeBytes > area.end) return null;
  area.base = address + sizeBytes;
  return address;
}

/** Largest first; of equal ones, the order of the bus. */
function sortBySize(bars: readonly PlacedBarInput[]): PlacedBarInput[] {
  return [...bars].sort((a, b) => {
    if (a.sizeBytes !== b.sizeBytes) return a.sizeBytes < b.sizeBytes ? 1 : -1;
    return a.guestDevfn - b.guestDevfn || a.index - b.index;
  });
}

/** Doubling its base, 256 MiB become 512, 1024 and 2048, as long as the guest has no memory there. */
function chooseHole(neededBytes: bigint, lowEnd: bigint, { mmioHoleMib: asked }: GuestMemory): bigint {
  if (asked !== null) {
    const start = fourGibibytes - (BigInt(asked) << 20n);
    return start > defaultHoleStart ? defaultHoleStart : start;
  }
  let start = defaultHoleStart;
  for (;;) {
    const next = (start << 1n) & 0xffff_ffffn;
    if (neededBytes <= holeEnd - start || next === 0n || next < lowEnd) return start;
    start = next;
  }
}

function lowMemoryEnd({ memoryMib, mmioHoleMib: asked }: GuestMemory): bigint {
  const holeBytes = BigInt(Math.max(asked ?? 0, mmioHoleMib.min)) << 20n;
  const bytes = BigInt(memoryMib) << 20n;
  return bytes < fourGibibytes - holeBytes ? bytes : fourGibibytes - holeBytes;
}

/** The end of the guest's memory, or 4 GiB where all of it is below. */
function highMemoryEnd(memory: GuestMemory, holeStart: bigint): bigint {
  const low = lowMemoryEnd(memory);
  const below = low < holeStart ? low : holeStart;
  const above = (BigInt(memory.memoryMib) << 20n) - below;
  const end = fourGibibytes + (above > 0n ? above : 0n);
  return (end + pageBytes - 1n) & ~(pageBytes - 1n);
}
