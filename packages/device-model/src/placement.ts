/** Bytes start..end, end included, so that the last byte of an address space can be named. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Where no BAR may be placed, whatever the guest writes. */
export interface PlacementPolicy {
  readonly reservedMemory: readonly AddressRange[];
  readonly reservedPorts: readonly AddressRange[];
  /** Width of a guest physical address; an address beyond it is refused. At most 52. */
  readonly addressBits: number;
}

/** Why a BAR is not mapped at the address it holds. */
export type PlacementRefusal = 'zero' | 'unaligned' | 'sizing' | 'too-high' | 'reserved' | 'overlap';

export const placementRefusals = [
  'zero',
  'unaligned',
  'sizing',
  'too-high',
  'reserved',
  'overlap',
] as const satisfies readonly PlacementRefusal[];

export const pageSizeBytes = 4096n;

/** Architectural limit of x86 (Intel SDM vol. 3, 4.1.4); also keeps every address exact as a Number. */
const widestAddressBits = 52;

const lastPort = 0xffffn;
const lastBelow4GiB = 0xffff_ffffn;

/**
 * From 0xfc000000 on hvmloader keeps ACPI tables, the I/O APIC, the HPET, the local APIC, Xen's own pages and the
 * firmware (tools/firmware/hvmloader/config.h: RESERVED_MEMBASE, PCI_MEM_END). It never places a BAR there.
 */
const firmwareAndInterruptControllers: AddressRange = { start: 0xfc00_0000n, end: lastBelow4GiB };

/** ISA and chipset ports of QEMU's PC: legacy, configuration mechanism #1, ACPI hot-plug, power management. */
const chipsetPorts: readonly AddressRange[] = [
  { start: 0n, end: 0x3ffn },
  { start: 0xcf8n, end: 0xcffn },
  { start: 0xae00n, end: 0xb0ffn },
];

/** hvmloader's PCI hole never starts lower (tools/firmware/hvmloader/pci.c doubles it down to this address). */
const lowestPciHoleStart = 0x8000_0000n;

export interface PlacementOptions {
  /** Where the guest has RAM. Without it everything below 2 GiB is taken to be RAM. */
  readonly ramRanges?: readonly AddressRange[];
  readonly addressBits?: number;
}

/** The policy for an HVM guest of QEMU's PC type. The first MiB is refused whatever `ramRanges` says. */
export function placementPolicy(options: PlacementOptions = {}): PlacementPolicy {
  const ram = options.ramRanges ?? [{ start: 0n, end: lowestPciHoleStart - 1n }];
  return {
    reservedMemory: [{ start: 0n, end: 0xf_ffffn }, ...ram, firmwareAndInterruptControllers],
    reservedPorts: chipsetPorts,
    addressBits: Math.min(options.addressBits ?? widestAddressBits, widestAddressBits),
  };
}

interface Occupant extends AddressRange {
  readonly kind: 'memory' | 'io';
  readonly owner: object;
}

/** What one guest has placed where, over all functions of a model. Answers whether a BAR may be mapped. */
export class AddressSpace {
  readonly #policy: PlacementPolicy;
  readonly #occupants: Occupant[] = [];

  constructor(policy: PlacementPolicy = placementPolicy()) {
    this.#policy = policy;
  }

  /** Takes the range for `owner`, or says why it cannot be. An owner holds at most one range. */
  place(kind: 'memory' | 'io', owner: object, start: bigint, sizeBytes: bigint): PlacementRefusal | null {
    const range = { start, end: start + sizeBytes - 1n };
    const refusal = this.#refusalOf(kind, range);
    if (refusal === null) this.#occupants.push({ kind, owner, ...range });
    return refusal;
  }

  remove(owner: object): void {
    const index = this.#occupants.findIndex((occupant) => occupant.owner === owner);
    if (index >= 0) this.#occupants.splice(index, 1);
  }

  #refusalOf(kind: 'memory' | 'io', range: AddressRange): PlacementRefusal | null {
    if (range.start === 0n) return 'zero';
    const reserved = kind === 'io' ? this.#policy.reservedPorts : this.#policy.reservedMemory;
    if (kind === 'io') {
      if (range.end > lastPort) return 'too-high';
    } else {
      if (range.start % pageSizeBytes !== 0n) return 'unaligned';
      // All ones in the address bits: the guest is asking for the size, not placing the BAR.
      if (range.end === lastBelow4GiB || range.end === 0xffff_ffff_ffff_ffffn) return 'sizing';
      if (range.end >> BigInt(this.#policy.addressBits) !== 0n) return 'too-high';
    }
    if (reserved.some((other) => overlaps(range, other))) return 'reserved';
    return this.#occupants.some((other) => other.kind === kind && overlaps(range, other)) ? 'overlap' : null;
  }
}

function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.start <= b.end && b.start <= a.end;
}
