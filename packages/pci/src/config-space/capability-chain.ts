import { readLittleEndian } from './access.js';
import { headerBytes } from './header-type-0.js';
import { headerValue } from './header.js';

/** 48 words of 4 bytes fit between the header and byte 256: a longer list is a loop. Xen's and Linux's bound too. */
export const maxCapabilities = 48;

export interface ChainEntry {
  readonly offset: number;
  readonly id: number;
}

export interface CapabilityChain {
  /** In the device's order, each offset once, at least 0x40. */
  readonly entries: readonly ChainEntry[];
  /** Why the walk ended before the end of the list; null when it ended as it should. */
  readonly fault: string | null;
}

const capabilitiesListBit = 0x10;
const nothingThere = 0xff;

/**
 * PCI Local Bus 3.0 §6.7: follows the list from byte 34h. The two low bits of a pointer are reserved and masked.
 * A device may lie: the walk never leaves the image, visits no offset twice and ends after {@link maxCapabilities}.
 */
export function walkCapabilityChain(config: Uint8Array): CapabilityChain {
  const entries: ChainEntry[] = [];
  const visited = new Set<number>();
  const end = (fault: string | null): CapabilityChain => ({ entries, fault });
  if ((headerValue(config, 'status') & capabilitiesListBit) === 0) return end(null);

  let pointer = headerValue(config, 'capabilitiesPointer') & 0xfc;
  while (pointer !== 0) {
    const where = `the list points to 0x${pointer.toString(16)}`;
    if (pointer < headerBytes) return end(`${where}, inside the header`);
    if (pointer >= config.length)
      return end(`${where}, but only ${config.length} bytes are readable (root reads 256)`);
    if (visited.has(pointer)) return end(`${where} a second time`);
    if (entries.length === maxCapabilities) return end(`the list has more than ${maxCapabilities} entries`);
    const id = readLittleEndian(config, pointer, 1);
    if (id === nothingThere) return end(`${where}, where the device answers all ones`);
    visited.add(pointer);
    entries.push({ offset: pointer, id });
    pointer = readLittleEndian(config, pointer + 1, 1) & 0xfc;
  }
  return end(null);
}
