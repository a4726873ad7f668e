import type { FunctionImage, Resource } from '@xenpt/pci';

/** What of the card a test wants otherwise. */
export interface CardOptions {
  readonly bus?: number;
  readonly irq?: number;
  readonly interruptPin?: number;
  readonly msix?: boolean;
  readonly msixVectorCount?: number;
  /** BAR index in bits 2:0, as in the register. */
  readonly msixTable?: number;
  readonly msixPending?: number;
  readonly msi?: boolean;
  /** Message control. Default: one vector, 64 bits, no masks. */
  readonly msiControl?: number;
  readonly vpd?: boolean;
  readonly resources?: readonly Resource[];
  readonly command?: number;
}

/** Offsets of the capabilities of the card. */
export const at = { msix: 0xa0, vpd: 0xb0, powerManagement: 0xc8, msi: 0xd0 } as const;

export const memoryBar = (index: number, start: bigint, sizeBytes: bigint, is64Bit = false): Resource => {
  return { index, kind: 'memory', start, sizeBytes, prefetchable: false, is64Bit };
};

export const ioBar = (index: number, start: bigint, sizeBytes: bigint): Resource => {
  return { index, kind: 'io', start, sizeBytes, prefetchable: false, is64Bit: false };
};

/** The ranges of an Intel 82574L, each bus with its own. */
export function cardResources(bus: number): Resource[] {
  const base = 0xe000_0000n + BigInt(bus) * 0x10_0000n;
  return [
    memoryBar(0, base, 0x2_0000n),
    memoryBar(1, base + 0x2_0000n, 0x2_0000n),
    ioBar(2, 0xd000n + BigInt(bus) * 0x100n, 0x20n),
    memoryBar(3, base + 0x4_0000n, 0x4000n),
    { index: 6, kind: 'rom', start: base + 0x8_0000n, sizeBytes: 0x4_0000n, prefetchable: false, is64Bit: false },
  ];
}

/** An 82574L: two memory BARs, I/O, a third memory BAR with five MSI-X entries in its first page, 64-bit MSI. */
export function networkCard(options: CardOptions = {}): FunctionImage {
  const { bus = 1, irq = 16, interruptPin = 1, msix = true, msi = true, vpd = false } = options;
  const resources = options.resources ?? cardResources(bus);
  const config = new Uint8Array(256);
  const view = new DataView(config.buffer);
  view.setUint16(0x00, 0x8086, true);
  view.setUint16(0x02, 0x10d3, true);
  view.setUint16(0x04, options.command ?? 0x0000, true);
  view.setUint16(0x06, 0x0010, true);
  view.setUint32(0x08, 0x0200_0000, true);
  for (const { index, kind, start } of resources) {
    const offset = index === 6 ? 0x30 : 0x10 + index * 4;
    view.setUint32(offset, Number(start & 0xffff_ffffn) | (kind === 'io' ? 1 : 0), true);
  }
  view.setUint8(0x3c, irq & 0xff);
  view.setUint8(0x3d, interruptPin);
  const chain = [
    { offset: at.powerManagement, id: 0x01, present: true },
    { offset: at.msi, id: 0x05, present: msi },
    { offset: at.vpd, id: 0x03, present: vpd },
    { offset: at.msix, id: 0x11, present: msix },
  ].filter(({ present }) => present);
  view.setUint8(0x34, chain[0]?.offset ?? 0);
  for (const [index, { offset, id }] of chain.entries()) {
    view.setUint8(offset, id);
    view.setUint8(offset + 1, chain[index + 1]?.offset ?? 0);
  }
  view.setUint16(at.powerManagement + 2, 0xc823, true);
  if (msi) view.setUint16(at.msi + 2, options.msiControl ?? 0x0080, true);
  if (msix) {
    view.setUint16(at.msix + 2, (options.msixVectorCount ?? 5) - 1, true);
    view.setUint32(at.msix + 4, options.msixTable ?? 0x0000_0003, true);
    view.setUint32(at.msix + 8, options.msixPending ?? 0x0000_2003, true);
  }
  const sbdf = { segment: 0, bus, device: 0, function: 0 };
  return { sbdf, config, resources, irq, vendorId: 0x8086, deviceId: 0x10d3 };
}
