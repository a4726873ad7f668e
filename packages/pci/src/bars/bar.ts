import { barRegisterNames, headerType0 } from '../config-space/header-type-0.js';
import { PciError } from '../errors.js';
import type { Resource } from '../resource.js';
import { isPowerOfTwo, pageBytes } from './sizing.js';

/** One base address register that a guest sees, and the host's range behind it. */
export interface GuestBar {
  /** 0–5, 6 the expansion ROM. */
  readonly index: number;
  readonly kind: Resource['kind'];
  readonly registerOffset: number;
  /** Only of a 64-bit BAR. */
  readonly upperRegisterOffset?: number;
  /** What sizing tells the guest: a power of two; memory and ROM at least a page. */
  readonly sizeBytes: bigint;
  /** What the device has: `hostStart … hostStart + hostSizeBytes − 1`. */
  readonly hostSizeBytes: bigint;
  readonly hostStart: bigint;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
}

/** Index of the expansion ROM in a host's list of resources. */
export const romIndex = 6;

interface SizeLimits {
  readonly minimum: bigint;
  readonly maximum: bigint;
  readonly lastAddress: bigint;
}

// PCI Local Bus 3.0 §6.2.5.1 (4 address type bits, 2 of I/O), §6.2.5.2 (ROM 2 KiB to 16 MiB). x86 has 64 Ki ports.
const limitsOf = {
  memory32: { minimum: 16n, maximum: 1n << 31n, lastAddress: (1n << 32n) - 1n },
  memory64: { minimum: 16n, maximum: 1n << 63n, lastAddress: (1n << 64n) - 1n },
  io: { minimum: 4n, maximum: 1n << 16n, lastAddress: 0xffffn },
  rom: { minimum: 2048n, maximum: 1n << 24n, lastAddress: (1n << 32n) - 1n },
} as const satisfies Record<string, SizeLimits>;

/**
 * The BARs a guest gets, by index. A resource that the host did not place (start or size 0) is left out: it
 * has nothing to map, and address 0 is never the device's.
 *
 * @throws {@link PciError} `PCI_RESOURCE_INVALID` when a range cannot stand in a base address register
 */
export function resolveBars(resources: readonly Resource[]): GuestBar[] {
  const bars: GuestBar[] = [];
  for (const resource of [...resources].sort((a, b) => a.index - b.index)) {
    if (resource.sizeBytes === 0n || resource.start === 0n) continue;
    const problem = invalid(resource) ?? collision(resource, bars.at(-1));
    if (problem !== undefined) throw resourceError(resource, problem);
    bars.push(toGuestBar(resource));
  }
  return bars;
}

/** The expansion ROM when its bytes come from a file: nothing of the host is behind it. */
export function romBar(imageBytes: number): GuestBar {
  let sizeBytes = pageBytes;
  while (sizeBytes < BigInt(imageBytes)) sizeBytes *= 2n;
  return {
    index: romIndex,
    kind: 'rom',
    registerOffset: headerType0.expansionRom.offset,
    sizeBytes,
    hostSizeBytes: BigInt(imageBytes),
    hostStart: 0n,
    is64Bit: false,
    prefetchable: false,
  };
}

function toGuestBar(resource: Resource): GuestBar {
  const { index, kind, sizeBytes, start, is64Bit, prefetchable } = resource;
  const name = barRegisterNames[index] ?? 'expansionRom';
  const registerOffset = headerType0[name].offset;
  const padded = kind === 'io' || sizeBytes >= pageBytes ? sizeBytes : pageBytes;
  return {
    index,
    kind,
    registerOffset,
    ...(isWide(resource) ? { upperRegisterOffset: registerOffset + 4 } : {}),
    sizeBytes: padded,
    hostSizeBytes: sizeBytes,
    hostStart: start,
    is64Bit,
    prefetchable,
  };
}

function invalid(resource: Resource): string | undefined {
  const { index, kind, sizeBytes, start, is64Bit } = resource;
  if (!Number.isInteger(index) || index < 0 || index > romIndex) return 'the index must be 0-5, or 6 for the ROM';
  if ((index === romIndex) !== (kind === 'rom')) return 'index 6 and only index 6 is the ROM';
  if (is64Bit && kind !== 'memory') return 'only memory has 64-bit registers';
  if (is64Bit && index === barRegisterNames.length - 1) return 'the last BAR has no upper half';
  const limits = limitsOf[kind === 'memory' ? (is64Bit ? 'memory64' : 'memory32') : kind];
  if (!isPowerOfTwo(sizeBytes) || sizeBytes < limits.minimum || sizeBytes > limits.maximum) {
    return `the size must be a power of two from ${limits.minimum} to ${limits.maximum}`;
  }
  if (start < 0n || start + sizeBytes - 1n > limits.lastAddress) {
    return `the last address must not exceed 0x${limits.lastAddress.toString(16)}`;
  }
  return undefined;
}

function collision(resource: Resource, before: GuestBar | undefined): string | undefined {
  if (before === undefined) return undefined;
  if (before.index === resource.index) return 'it is listed twice';
  if (before.upperRegisterOffset !== undefined && before.index + 1 === resource.index) {
    return `its register is the upper half of BAR ${before.index}`;
  }
  return undefined;
}

function isWide(resource: Resource): boolean {
  return resource.kind === 'memory' && resource.is64Bit;
}

function resourceError(resource: Resource, problem: string): PciError {
  const { index, kind, start, sizeBytes } = resource;
  return new PciError('PCI_RESOURCE_INVALID', {
    problem: `Resource ${index} (${kind}, ${sizeBytes} bytes at 0x${start.toString(16)}) is no BAR: ${problem}.`,
    nextStep: 'Compare with the host’s `resource` file; a device with such a range cannot be passed through.',
  });
}
