import { readLittleEndian } from '../config-space/access.js';
import { barRegisterNames, headerType0 } from '../config-space/header-type-0.js';

/** A base address register as the device answers it: no size, since finding it would take writes. */
export interface RawBar {
  readonly index: number;
  readonly registerOffset: number;
  /** `none`: reads 0, so absent or not placed. */
  readonly kind: 'memory' | 'io' | 'none';
  readonly address: bigint;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
}

/** PCI Local Bus 3.0 §6.2.5.1. An upper half is part of the BAR below it, not an entry. */
export function decodeRawBars(config: Uint8Array): RawBar[] {
  const bars: RawBar[] = [];
  for (let index = 0; index < barRegisterNames.length; index += 1) {
    const registerOffset = headerType0.bar0.offset + 4 * index;
    const value = readLittleEndian(config, registerOffset, 4);
    const isIo = (value & 1) === 1;
    const is64Bit = !isIo && (value & 6) === 4 && index + 1 < barRegisterNames.length;
    const upper = is64Bit ? readLittleEndian(config, registerOffset + 4, 4) : 0;
    bars.push({
      index,
      registerOffset,
      kind: value === 0 ? 'none' : isIo ? 'io' : 'memory',
      address: (BigInt(upper) << 32n) | BigInt((value & ~(isIo ? 0x3 : 0xf)) >>> 0),
      is64Bit,
      prefetchable: !isIo && (value & 8) !== 0,
    });
    if (is64Bit) index += 1;
  }
  return bars;
}
