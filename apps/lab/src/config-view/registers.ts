/** One register of a function, by the name that people know. */
export interface Register {
  readonly name: string;
  readonly offset: number;
  readonly width: 1 | 2 | 4;
}

/** A device of the lab's machine whose two models are compared. */
export interface ComparedDevice {
  readonly kind: 'e1000e' | 'ich9-intel-hda' | 'rtl8139';
  /** Its id in the lab. */
  readonly id: string;
  /** Where the guest has it, under either model. */
  readonly guestSlot: number;
  readonly registers: readonly Register[];
}

type Row = readonly [name: string, offset: number, width: 1 | 2 | 4];

const register = ([name, offset, width]: Row): Register => ({ name, offset, width });
const at = (base: number, rows: readonly Row[]): Register[] =>
  rows.map(([name, offset, width]) => register([name, base + offset, width]));

// PCI Local Bus 3.0 §6.1.
const header = at(0, [
  ['vendor ID', 0x00, 2],
  ['device ID', 0x02, 2],
  ['command', 0x04, 2],
  ['status', 0x06, 2],
  ['revision and class', 0x08, 4],
  ['cache line size', 0x0c, 1],
  ['latency timer', 0x0d, 1],
  ['header type', 0x0e, 1],
  ['BIST', 0x0f, 1],
  ...[0, 1, 2, 3, 4, 5].map((index): Row => [`BAR ${index}`, 0x10 + 4 * index, 4]),
  ['CardBus CIS', 0x28, 4],
  ['subsystem vendor ID', 0x2c, 2],
  ['subsystem ID', 0x2e, 2],
  ['expansion ROM', 0x30, 4],
  ['capabilities pointer', 0x34, 1],
  ['interrupt line', 0x3c, 1],
  ['interrupt pin', 0x3d, 1],
  ['Min_Gnt', 0x3e, 1],
  ['Max_Lat', 0x3f, 1],
]);

const capability = (name: string, base: number, rows: readonly Row[]): Register[] =>
  at(base, [[`${name} ID`, 0, 1], [`${name} next`, 1, 1], ...rows]);

// PCI Power Management 1.2 §3.2.
const powerManagement = (base: number) =>
  capability('PM', base, [
    ['PMC', 2, 2],
    ['PMCSR', 4, 2],
    ['PM bridge and data', 6, 2],
  ]);

// PCI Local Bus 3.0 §6.8.1, with 64 bits and without masks.
const msi = (base: number) =>
  capability('MSI', base, [
    ['MSI control', 2, 2],
    ['MSI address', 4, 4],
    ['MSI address high', 8, 4],
    ['MSI data', 12, 2],
    ['MSI extended data', 14, 2],
  ]);

// PCI Local Bus 3.0 §6.8.2.
const msix = (base: number) =>
  capability('MSI-X', base, [
    ['MSI-X control', 2, 2],
    ['MSI-X table', 4, 4],
    ['MSI-X PBA', 8, 4],
  ]);

// PCI Express Base 1.1 §7.8: version 1, an endpoint.
const express = (base: number) =>
  capability('Express', base, [
    ['Express flags', 2, 2],
    ['device capabilities', 4, 4],
    ['device control', 8, 2],
    ['device status', 10, 2],
    ['link capabilities', 12, 4],
    ['link control', 16, 2],
    ['link status', 18, 2],
  ]);

/** Registers with the words that nobody named between them: all 256 bytes. */
function whole(named: readonly Register[]): Register[] {
  const unnamed: Register[] = [];
  for (let offset = 0; offset < 256; offset += 4) {
    if (named.some((one) => one.offset >>> 2 === offset >>> 2)) continue;
    unnamed.push(register([`0x${offset.toString(16).padStart(2, '0')}`, offset, 4]));
  }
  return [...named, ...unnamed].sort((a, b) => a.offset - b.offset);
}

/** The order is that of their slots in the guest. */
export const comparedDevices: readonly ComparedDevice[] = [
  {
    kind: 'e1000e',
    id: 'nic0',
    guestSlot: 5,
    registers: whole([...header, ...msix(0xa0), ...powerManagement(0xc8), ...msi(0xd0), ...express(0xe0)]),
  },
  { kind: 'ich9-intel-hda', id: 'sound', guestSlot: 6, registers: whole([...header, ...msi(0x60)]) },
  { kind: 'rtl8139', id: 'nic2', guestSlot: 7, registers: whole(header) },
];

/** The names of registers that have one. */
export const isNamed = ({ name }: Register): boolean => !name.startsWith('0x');
