/** An address as Linux has it: Intel's VMD makes segments above ffff, which no 32-bit address of Xen can name. */
export interface Location {
  readonly segment: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

const pattern = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/;
/** The last segment that Xen's and our 32-bit addresses have. */
export const lastSegment = 0xffff;

/** A name in `sys/bus/pci/devices`; null when it is none. */
export function parseLocation(name: string): Location | null {
  const parts = pattern.exec(name);
  if (parts === null) return null;
  const [segment = 0, bus = 0, device = 0, fn = 0] = parts.slice(1).map((part) => Number.parseInt(part, 16));
  return { segment, bus, device, function: fn };
}

/** The inverse of {@link parseLocation}. */
export function formatLocation({ segment, bus, device, function: fn }: Location): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(segment, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}`;
}

/** Sorts by segment, bus, device, function. */
export function compareLocations(a: Location, b: Location): number {
  return a.segment - b.segment || a.bus - b.bus || a.device - b.device || a.function - b.function;
}
