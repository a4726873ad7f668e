import { romIndex } from '../bars/bar.js';
import type { Resource } from '../resource.js';
import { quote } from './attributes.js';
import { malformed, type SysfsError } from './errors.js';

// Linux include/linux/ioport.h (flags) and drivers/pci/pci-sysfs.c, resource_show: one line for each resource,
// "start end flags", each 0x and 16 digits.
const flag = {
  io: 0x100n,
  memory: 0x200n,
  prefetchable: 0x2000n,
  is64Bit: 0x10_0000n,
  disabled: 0x1000_0000n,
  unset: 0x2000_0000n,
} as const;
/** The ROM is a copy in the host's RAM at 0xc0000 (IORESOURCE_ROM_SHADOW): never the device's to give away. */
const romShadow = 0x2n;

/** 6 BARs and the ROM; with SR-IOV its 6 BARs; with a bridge its 4 windows; with both. */
const lineCounts: readonly number[] = [7, 11, 13, 17];
/** What most lines are. */
const unsetLine = '0x0000000000000000 0x0000000000000000 0x0000000000000000\n';
const line = /^0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})$/;

/**
 * Reads a whole `resource` file: a line that does not parse spoils all, because a BAR that is skipped is a BAR
 * whose permission is never taken back. A range the host did not place is left out.
 *
 * @param path only for the message
 * @throws {@link SysfsError} `SYSFS_MALFORMED`
 */
export function parseResources(path: string, text: string): Resource[] {
  const resources: Resource[] = [];
  let count = 0;
  for (let at = 0; at < text.length; count += 1) {
    // Not even cut out: of a thousand functions that is ten thousand lines.
    if (text.startsWith(unsetLine, at)) {
      at += unsetLine.length;
      continue;
    }
    const end = text.indexOf('\n', at);
    if (end === -1) throw notWhole(path, count);
    const resource = parseLine(path, text.slice(at, end), count);
    if (resource !== null) resources.push(resource);
    at = end + 1;
  }
  if (!lineCounts.includes(count)) throw notWhole(path, count);
  return resources;
}

function notWhole(path: string, count: number): SysfsError {
  return malformed(path, `${count} whole lines, expected ${lineCounts.join(', ')}`);
}

function parseLine(path: string, content: string, index: number): Resource | null {
  const numbers = line.exec(content);
  if (numbers === null) throw malformed(path, `line ${index + 1} is ${quote(content)}, not three 0x numbers`);
  const [start, end, flags] = [1, 2, 3].map((group) => BigInt(`0x${numbers[group]}`)) as [bigint, bigint, bigint];
  if (index > romIndex) return null;
  if (end < start) throw malformed(path, `line ${index + 1} ends before it starts: ${quote(content)}`);
  const has = (bit: bigint): boolean => (flags & bit) !== 0n;
  if (start === 0n || flags === 0n || has(flag.disabled) || has(flag.unset)) return null;
  if (index === romIndex && has(romShadow)) return null;
  if (has(flag.io) === has(flag.memory)) throw malformed(path, `line ${index + 1} is neither I/O nor memory alone`);
  return {
    index,
    kind: index === romIndex ? 'rom' : has(flag.io) ? 'io' : 'memory',
    start,
    sizeBytes: end - start + 1n,
    prefetchable: index !== romIndex && has(flag.prefetchable),
    is64Bit: index !== romIndex && has(flag.memory) && has(flag.is64Bit),
  };
}
