import type { FunctionImage, Resource } from '../../src/index.js';
import { e1000e, e1000eConfig, e1000eResources } from './e1000e.js';
import { ImageBuilder, functionImage, io, memory, rom } from './image.js';

type Slot = { readonly at: number; readonly id: number };

/** Every word behind the header, in order. */
const everyWord = Array.from({ length: 48 }, (_, index) => 0x40 + 4 * index);

const chained = (...slots: readonly Slot[]): ImageBuilder => new ImageBuilder().chain(...slots);
const image = (builder: ImageBuilder, rest: Partial<FunctionImage> = {}): FunctionImage =>
  functionImage(builder.config, rest);
const pointing = (pointer: number): FunctionImage => image(chained({ at: 0x40, id: 1 }).u8(0x34, pointer));
const withNext = (next: number): FunctionImage => image(chained({ at: 0x40, id: 1 }).u8(0x41, next));
const withBars = (...resources: readonly Resource[]): FunctionImage => e1000e({ resources });

/** MSI-X of the network card, told otherwise. */
function msix(table: number, pending: number, control = 4, resources = e1000eResources): FunctionImage {
  const config = e1000eConfig();
  const view = new DataView(config.buffer);
  view.setUint16(0xa2, control, true);
  view.setUint32(0xa4, table, true);
  view.setUint32(0xa8, pending, true);
  return e1000e({ config, resources });
}

function e1000eWith(change: (config: Uint8Array) => void): FunctionImage {
  const config = e1000eConfig();
  change(config);
  return e1000e({ config });
}

/** What broken and hostile devices answer. Each is refused, or yields a guest view that the oracle agrees with. */
export const hostileImages: Readonly<Record<string, FunctionImage>> = {
  'all ones': functionImage(new Uint8Array(256).fill(0xff)),
  'all ones behind the header': e1000eWith((config) => config.fill(0xff, 0x40)),
  'all zero': functionImage(new Uint8Array(256)),
  'all zero, 4096 bytes': functionImage(new Uint8Array(4096)),
  'nothing at all': functionImage(new Uint8Array(0)),
  'a read cut off in the header': functionImage(e1000eConfig().slice(0, 63)),
  'a read cut off behind the header': functionImage(e1000eConfig().slice(0, 128)),
  'a read one byte short': functionImage(e1000eConfig().slice(0, 255)),
  'a read of the header alone': functionImage(e1000eConfig().slice(0, 64)),
  'one byte too many': functionImage(new Uint8Array(257)),
  'a bridge': e1000eWith((config) => (config[0x0e] = 1)),
  'a CardBus bridge': e1000eWith((config) => (config[0x0e] = 0x82)),
  'a header type nobody defined': e1000eWith((config) => (config[0x0e] = 0x7f)),
  'ids of nobody': e1000e({ vendorId: 0xffff }),
  'a virtual function': e1000eWith((config) => config.fill(0xff, 0, 4)),
  'a list that points to itself': withNext(0x40),
  'a list of two that point to each other': image(chained({ at: 0x40, id: 1 }, { at: 0x50, id: 3 }).u8(0x51, 0x40)),
  'a loop that leaves its first element out': image(
    chained({ at: 0x40, id: 1 }, { at: 0x50, id: 3 }, { at: 0x60, id: 5 }).u8(0x61, 0x50),
  ),
  'a list that starts in the header': pointing(0x3c),
  'a list that starts in the vendor id': pointing(0x01),
  'a list that starts at the last byte': pointing(0xff),
  'a next pointer into the header': withNext(0x10),
  'a next pointer of all ones': withNext(0xff),
  'a next pointer that is not aligned': image(chained({ at: 0x40, id: 1 }, { at: 0x50, id: 3 }).u8(0x41, 0x53)),
  'a list without the status bit': image(chained({ at: 0x40, id: 1 }).u16(6, 0)),
  'an id of all ones': image(chained({ at: 0x40, id: 0xff })),
  'an id of all ones in the middle': image(chained({ at: 0x40, id: 1 }, { at: 0x50, id: 0xff }, { at: 0x60, id: 3 })),
  '48 capabilities nobody knows': image(chained(...everyWord.map((at) => ({ at, id: 0x7a })))),
  '48 vendor capabilities of 4 bytes': image(
    everyWord.reduce((builder, at) => builder.u8(at + 2, 4), chained(...everyWord.map((at) => ({ at, id: 9 })))),
  ),
  '48 vendor capabilities that cover each other': image(
    everyWord.reduce((builder, at) => builder.u8(at + 2, 0xc0), chained(...everyWord.map((at) => ({ at, id: 9 })))),
  ),
  'every id that there is': image(chained(...Array.from({ length: 0x16 }, (_, id) => ({ at: 0x40 + 8 * id, id })))),
  'two of each that comes once': image(
    chained(...[1, 1, 3, 3, 5, 5, 0x11, 0x11].map((id, index) => ({ at: 0x40 + 0x18 * index, id }))),
  ),
  'a sound MSI behind one that has no room': image(
    chained({ at: 0xf4, id: 5 }, { at: 0x40, id: 5 }).u16(0xf6, 0x0080).u16(0x42, 0x0080),
  ),
  'a capability on the last word': image(chained({ at: 0xfc, id: 1 })),
  'MSI that ends one word behind the end': image(chained({ at: 0xec, id: 5 }).u16(0xee, 0x0180)),
  'MSI that ends with the last byte': image(chained({ at: 0xe8, id: 5 }).u16(0xea, 0x0180)),
  'a vendor capability of length 0': image(chained({ at: 0x40, id: 9 }, { at: 0x50, id: 1 })),
  'a vendor capability of length 2': image(chained({ at: 0x40, id: 9 }).u8(0x42, 2)),
  'a vendor capability of length 3': image(chained({ at: 0x40, id: 9 }).u8(0x42, 3)),
  'a vendor capability of length 255': image(chained({ at: 0x40, id: 9 }).u8(0x42, 0xff)),
  'a vendor capability over MSI': image(
    chained({ at: 0x40, id: 9 }, { at: 0x50, id: 5 }).u8(0x42, 0x20).u16(0x52, 0x0181),
  ),
  'MSI over a vendor capability': image(
    chained({ at: 0x50, id: 5 }, { at: 0x40, id: 9 }).u8(0x42, 0x20).u16(0x52, 0x0181),
  ),
  'power management over MSI-X': image(chained({ at: 0x40, id: 1 }, { at: 0x44, id: 0x11 })),
  'something hidden over something shown': image(
    chained({ at: 0x40, id: 0x0e }, { at: 0x50, id: 1 }, { at: 0x60, id: 5 }).u16(0x62, 0x0080),
  ),
  'Enhanced Allocation with 63 endless entries': image(
    chained({ at: 0x40, id: 0x14 }, { at: 0xf0, id: 1 }).u8(0x42, 0xff).u32(0x44, 0xffff_ffff),
  ),
  'HyperTransport of every type': image(
    chained(...Array.from({ length: 6 }, (_, index) => ({ at: 0x40 + 0x20 * index, id: 8 })))
      .u16(0x42, 0x0000)
      .u16(0x62, 0x2000)
      .u16(0x82, 0xa800)
      .u16(0xa2, 0xa802)
      .u16(0xc2, 0x8000)
      .u16(0xe2, 0xffff),
  ),
  'AGP of version 3': image(chained({ at: 0x40, id: 2 }).u8(0x42, 0x35)),
  'PCI-X with error correction': image(chained({ at: 0x40, id: 7 }).u16(0x42, 0x2000)),
  'SATA with registers of its own': image(chained({ at: 0x40, id: 0x12 }).u8(0x44, 0x0f)),
  'PCI Express of version 0': image(chained({ at: 0x40, id: 0x10 }).u16(0x42, 0)),
  'PCI Express of version 15': image(chained({ at: 0x40, id: 0x10 }).u16(0x42, 0xff)),
  'PCI Express of a root port with an endpoint’s header': image(chained({ at: 0x40, id: 0x10 }).u16(0x42, 0x0142)),
  'PCI Express integrated, version 1': image(chained({ at: 0x40, id: 0x10 }).u16(0x42, 0x91).u32(0x44, 0x1000_0000)),
  'PCI Express with every bit set': image(
    chained({ at: 0x40, id: 0x10 }).u16(0x42, 0xff02).u32(0x44, 0xffff_ffff).u32(0x4c, 0xffff_ffff),
  ),
  'Advanced Features of length 0': image(chained({ at: 0x40, id: 0x13 })),
  'Advanced Features without a reset': image(chained({ at: 0x40, id: 0x13 }).u8(0x42, 6, 0x01)),
  'Advanced Features with every bit set': image(chained({ at: 0x40, id: 0x13 }).u8(0x42, 6, 0xff, 0xff, 0xff)),
  'MSI with every control bit set': image(chained({ at: 0x40, id: 5 }).u16(0x42, 0xffff)),
  'power management with every bit set': image(chained({ at: 0x40, id: 1 }).u32(0x42, 0xffff_ffff)),
  'product data that asks for a write': image(chained({ at: 0x40, id: 3 }).u16(0x42, 0xffff)),
  'MSI-X in BAR 6': msix(6, 0x2003),
  'MSI-X in BAR 7': msix(7, 0x2003),
  'pending bits in BAR 6': msix(3, 0x2006),
  'pending bits in BAR 7': msix(3, 0x2007),
  'MSI-X in a BAR of I/O': msix(2, 0x2003),
  'MSI-X in an empty BAR': msix(5, 0x2003),
  'MSI-X in an upper half': msix(4, 0x2003, 4, [memory(3, 0x40_0000_0000n, 0x4000n, { is64Bit: true })]),
  'MSI-X one entry outside its BAR': msix(0x3fc3, 3),
  'MSI-X at 4 GiB less 8': msix(0xffff_fffb, 3),
  'MSI-X of 2048 entries in 16 KiB': msix(3, 0x2003, 0x07ff),
  'pending bits on the table': msix(3, 0x0003),
  'the table on the pending bits': msix(0x2003, 0x2003),
  'MSI-X enabled and masked': msix(3, 0x2003, 0xffff, [memory(3, 0xfec4_0000n, 0x1_0000n)]),
  'a size that is no power of two': withBars(memory(0, 0xf000_0000n, 0x3000n)),
  'a BAR smaller than any': withBars(memory(0, 0xf000_0000n, 8n)),
  'a BAR of 4 GiB in 32 bits': withBars(memory(0, 0xf000_0000n, 1n << 32n)),
  'a BAR that wraps 32 bits': withBars(memory(0, 0xffff_f000n, 0x2000n)),
  'a BAR that wraps 64 bits': withBars(memory(0, (1n << 64n) - 0x1000n, 0x2000n, { is64Bit: true })),
  'a BAR of half the address space': withBars(memory(0, 1n << 63n, 1n << 63n, { is64Bit: true, prefetchable: true })),
  'a BAR of 64 GiB': withBars(memory(2, 0x40_0000_0000n, 1n << 36n, { is64Bit: true, prefetchable: true })),
  'a BAR of exactly 4 GiB': withBars(memory(0, 0x40_0000_0000n, 1n << 32n, { is64Bit: true })),
  '64 bits in the last BAR': withBars(memory(5, 0x40_0000_0000n, 0x1000n, { is64Bit: true })),
  'a BAR in an upper half': withBars(memory(0, 0x40_0000_0000n, 0x1000n, { is64Bit: true }), io(1, 0xc000n, 4n)),
  'the same BAR twice': withBars(memory(0, 0xf000_0000n, 0x1000n), memory(0, 0xf100_0000n, 0x1000n)),
  'a BAR at 0': withBars(memory(0, 0n, 0x1000n), io(2, 0xc000n, 32n)),
  'a BAR of size 0': withBars(memory(0, 0xf000_0000n, 0n)),
  'BARs on each other': withBars(memory(0, 0xf000_0000n, 0x2000n), memory(1, 0xf000_0000n, 0x1000n)),
  'ports behind the last': withBars(io(0, 0xfff0n, 32n)),
  'a port range of 1 byte': withBars(io(0, 0xc000n, 1n)),
  'a ROM of 1 KiB': withBars(rom(0xf000_0000n, 1024n)),
  'a ROM of 32 MiB': withBars(rom(0xf000_0000n, 1n << 25n)),
  'a ROM of 2 KiB': withBars(rom(0xf000_0000n, 2048n)),
  'memory where the ROM is': withBars(memory(6, 0xf000_0000n, 0x1000n)),
  'BAR number 7': withBars(memory(7, 0xf000_0000n, 0x1000n)),
  'interrupt pin 5': e1000eWith((config) => (config[0x3d] = 5)),
  'interrupt pin 255': e1000eWith((config) => (config[0x3d] = 0xff)),
  'a pin without a line': e1000e({ irq: 0 }),
  'every byte of the header odd': e1000eWith((config) => {
    for (let offset = 4; offset < 0x34; offset += 1) if (offset !== 6 && offset !== 0x0e) config[offset] = 0xa5;
  }),
};
