import { readLittleEndian } from '../config-space/access.js';
import { headerType0 } from '../config-space/header-type-0.js';
import type { Resource } from '../resource.js';
import { romIndex } from './bar.js';
import { decodeRawBars } from './raw-bar.js';

/** Nothing of a larger BAR is needed to say what a guest sees. */
const largestAssumed = { memory: 1n << 24n, io: 1n << 8n, rom: 1n << 18n } as const;
const romAddressMask = 0xffff_f800;

export interface AssumedResources {
  readonly resources: readonly Resource[];
  /** Indices of those whose size nobody told. */
  readonly assumed: readonly number[];
}

/**
 * What ranges the BARs of an image stand for, where nothing but the image is known: an address says no more of its
 * size than what it is a multiple of.
 *
 * @param sizes in bytes, by address, of those that are known
 */
export function assumeResources(
  config: Uint8Array,
  sizes: ReadonlyMap<bigint, bigint> = new Map(),
): AssumedResources {
  const rom = BigInt((readLittleEndian(config, headerType0.expansionRom.offset, 4) & romAddressMask) >>> 0);
  const raw = decodeRawBars(config).flatMap(({ index, kind, address, is64Bit, prefetchable }) =>
    kind === 'none' || address === 0n ? [] : [{ index, kind, start: address, is64Bit, prefetchable }],
  );
  const all = [
    ...raw,
    ...(rom === 0n
      ? []
      : [{ index: romIndex, kind: 'rom' as const, start: rom, is64Bit: false, prefetchable: false }]),
  ];
  return {
    resources: all.map((one) => ({ ...one, sizeBytes: sizes.get(one.start) ?? alignmentOf(one.start, one.kind) })),
    assumed: all.filter(({ start }) => !sizes.has(start)).map(({ index }) => index),
  };
}

function alignmentOf(address: bigint, kind: Resource['kind']): bigint {
  const alignment = address & -address;
  return alignment < largestAssumed[kind] ? alignment : largestAssumed[kind];
}
