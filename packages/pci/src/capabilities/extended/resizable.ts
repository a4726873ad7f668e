import { readLittleEndian } from '../../config-space/access.js';
import { decoded } from '../../config-space/decoded.js';
import type { RegisterSet } from '../../config-space/register.js';
import { byteCount } from './words.js';

// PCI Express Base 5.0 §7.8.6 and §9.3.7.5, the same for functions and for virtual ones. From +4 on, two words for
// each BAR that has several sizes, at most six:
//
//   +0 sizes: bit 4 is 1 MiB, bit 31 is 128 TiB │ +4 BAR (2:0), how many BARs (7:5, of the first), size (13:8)

const mostBars = 6;
const mebibyte = 20;
const firstSizeBit = 4;

const barCount = (bytes: Uint8Array): number => {
  return Math.max(1, Math.min(mostBars, (readLittleEndian(bytes, 0x08, 4) >>> 5) & 7));
};
const sizeOf = (value: number): string => byteCount(mebibyte + value);

function sizesOf(mask: number): string {
  const names = Array.from({ length: 28 }, (_, index) => (((mask >>> index) & 1) === 1 ? sizeOf(index) : ''));
  return names.filter((name) => name !== '').join(' ') || 'none';
}

export function resizableRegisters(bytes: Uint8Array): RegisterSet {
  const pairs = Array.from({ length: barCount(bytes) }, (_, index) => {
    const suffix = index === 0 ? '' : `${index + 1}`;
    const capability = decoded(0x04 + 8 * index, 4, { sizes: [firstSizeBit, 28, sizesOf] });
    const control = decoded(0x08 + 8 * index, 4, { barIndex: [0, 3], barCount: [5, 3], barSize: [8, 6, sizeOf] });
    return { [`capability${suffix}`]: capability, [`control${suffix}`]: control };
  });
  return Object.assign({}, ...pairs) as RegisterSet;
}

export function resizableSummary(bytes: Uint8Array): string {
  const bars = Array.from({ length: barCount(bytes) }, (_, index) => {
    const sizes = readLittleEndian(bytes, 0x04 + 8 * index, 4) >>> firstSizeBit;
    const control = readLittleEndian(bytes, 0x08 + 8 * index, 4);
    return `BAR ${control & 7} has ${sizeOf((control >>> 8) & 0x3f)}, can have ${sizesOf(sizes)}`;
  });
  return bars.join('; ');
}
