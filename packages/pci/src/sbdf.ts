import { PciError } from './errors.js';

/** The address of one PCI function. */
export interface Sbdf {
  /** 0–0xffff; Linux numbers what is behind an Intel VMD controller from 0x10000, which Xen cannot name. */
  readonly segment: number;
  /** 0–0xff. */
  readonly bus: number;
  /** 0–0x1f. */
  readonly device: number;
  /** 0–7. */
  readonly function: number;
}

/** Linux keeps a segment in an int (struct pci_host_bridge); Xen in 16 bits (pci_sbdf_t). */
export const sbdfLimits = { segment: 0x7fff_ffff, bus: 0xff, device: 0x1f, function: 7 } as const;
const xenSegmentLimit = 0xffff;
const pattern = /^(?:([0-9a-f]{4}|[1-9a-f][0-9a-f]{4,6}|[1-7][0-9a-f]{7}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i;

/**
 * Reads `0000:03:00.0` or, in segment 0, `03:00.0`; all parts are hexadecimal. The other ways to write a device are
 * read by `parseDevice` of `@xenpt/pci/grammar`.
 *
 * @throws {@link PciError} `PCI_SBDF_SYNTAX`, with the address that was probably meant where there is one
 */
export function parseSbdf(text: string): Sbdf {
  const parts = pattern.exec(text);
  const device = Number.parseInt(parts?.[3] ?? '', 16);
  if (parts === null || device > sbdfLimits.device) throw syntaxError(text);
  return {
    segment: Number.parseInt(parts[1] ?? '0', 16),
    bus: Number.parseInt(parts[2] ?? '', 16),
    device,
    function: Number.parseInt(parts[4] ?? '', 16),
  };
}

/** The inverse of {@link parseSbdf}, always with the segment: `0000:03:00.0`. */
export function formatSbdf(sbdf: Sbdf): string {
  checkRange(sbdf);
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(sbdf.segment, 4)}:${hex(sbdf.bus, 2)}:${hex(sbdf.device, 2)}.${sbdf.function}`;
}

/** Sorts by segment, bus, device, function. */
export function compareSbdf(a: Sbdf, b: Sbdf): number {
  return a.segment - b.segment || a.bus - b.bus || a.device - b.device || a.function - b.function;
}

/**
 * Whether Xen has a number for the address: its segments end at ffff.
 *
 * @throws {@link PciError} `PCI_SEGMENT_NOT_ON_XEN`
 */
export function requireXenSegment(sbdf: Sbdf): void {
  if (sbdf.segment <= xenSegmentLimit) return;
  throw new PciError('PCI_SEGMENT_NOT_ON_XEN', {
    problem: `${formatSbdf(sbdf)} is in segment ${sbdf.segment.toString(16)}; Xen numbers segments up to ffff only.`,
    nextStep:
      'Linux invents such a segment for what is behind an Intel VMD controller: switch VMD off in the firmware, ' +
      'and the function gets an address of its own.',
  });
}

/**
 * The form Xen's interfaces take, unsigned 32 bits:
 *
 *     31      16 15     8 7      3 2        0
 *    ┌──────────┬────────┬────────┬──────────┐
 *    │ segment  │  bus   │ device │ function │
 *    └──────────┴────────┴────────┴──────────┘
 *
 * @throws RangeError when a part is out of its range
 * @throws {@link PciError} `PCI_SEGMENT_NOT_ON_XEN`
 */
export function sbdfToNumber(sbdf: Sbdf): number {
  checkRange(sbdf);
  requireXenSegment(sbdf);
  return ((sbdf.segment << 16) | (sbdf.bus << 8) | (sbdf.device << 3) | sbdf.function) >>> 0;
}

/**
 * The inverse of {@link sbdfToNumber}.
 *
 * @throws RangeError when `value` is not an unsigned 32-bit integer
 */
export function numberToSbdf(value: number): Sbdf {
  if (value >>> 0 !== value) throw new RangeError(`SBDF ${value}: must be an integer from 0 to 0xffffffff.`);
  return { segment: value >>> 16, bus: (value >>> 8) & 0xff, device: (value >>> 3) & 0x1f, function: value & 7 };
}

function checkRange(sbdf: Sbdf): void {
  for (const part of ['segment', 'bus', 'device', 'function'] as const) {
    const value = sbdf[part];
    if (!Number.isInteger(value) || value < 0 || value > sbdfLimits[part]) {
      throw new RangeError(`${part} ${value}: must be an integer from 0 to 0x${sbdfLimits[part].toString(16)}.`);
    }
  }
}

function syntaxError(text: string): PciError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const meant = probablyMeant(text);
  return new PciError('PCI_SBDF_SYNTAX', {
    problem: `"${shown}" is not a PCI address: expected [segment:]bus:device.function in hexadecimal, device 0-1f.`,
    nextStep: meant === null ? 'List the addresses of this host with `xenpt list`.' : `Did you mean ${meant}?`,
  });
}

/** Other separators, missing zeros, a missing function. */
function probablyMeant(text: string): string | null {
  if (!/^\s*[0-9a-f]{1,4}([:./ -][0-9a-f]{1,4}){1,3}\s*$/i.test(text)) return null;
  const numbers = text
    .trim()
    .split(/[:./ -]/)
    .map((part) => Number.parseInt(part, 16));
  if (numbers.length === 2) numbers.push(0);
  if (numbers.length === 3) numbers.unshift(0);
  const [segment = 0, bus = 0, device = 0, fn = 0] = numbers;
  const inRange = bus <= sbdfLimits.bus && device <= sbdfLimits.device && fn <= sbdfLimits.function;
  return inRange ? formatSbdf({ segment, bus, device, function: fn }) : null;
}
