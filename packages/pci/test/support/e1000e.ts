import type { FunctionImage, Resource } from '../../src/index.js';
import { ImageBuilder, functionImage, io, memory, rom } from './image.js';

/** The ranges a host gave to the 82574L. */
export const e1000eResources: readonly Resource[] = [
  memory(0, 0xfebc_0000n, 0x2_0000n),
  memory(1, 0xfebe_0000n, 0x2_0000n),
  io(2, 0xc040n, 32n),
  memory(3, 0xfec4_0000n, 0x4000n),
  rom(0xfeb8_0000n, 0x4_0000n),
];

/** The 82574L of QEMU as a running host has it: PM at c8, MSI at d0, PCI Express at e0, MSI-X at a0. */
export function e1000eConfig(): Uint8Array {
  return new ImageBuilder(4096)
    .u16(0x00, 0x8086)
    .u16(0x02, 0x10d3)
    .u16(0x04, 0x0507)
    .chain({ at: 0xc8, id: 0x01 }, { at: 0xd0, id: 0x05 }, { at: 0xe0, id: 0x10 }, { at: 0xa0, id: 0x11 })
    .u8(0x09, 0x00, 0x00, 0x02)
    .u32(0x10, 0xfebc_0000)
    .u32(0x14, 0xfebe_0000)
    .u32(0x18, 0xc041)
    .u32(0x1c, 0xfec4_0000)
    .u16(0x2c, 0x8086)
    .u32(0x30, 0xfeb8_0000)
    .u8(0x3c, 0x0b, 0x01)
    .u16(0xca, 0xc823)
    .u16(0xcc, 0x2000)
    .u16(0xd2, 0x0080)
    .u16(0xe2, 0x0001)
    .u32(0xe4, 0x1000_8001)
    .u16(0xe8, 0x2810)
    .u32(0xec, 0x0003_0411)
    .u16(0xf2, 0x0011)
    .u16(0xa2, 0x0004)
    .u32(0xa4, 0x0000_0003)
    .u32(0xa8, 0x0000_2003).config;
}

export function e1000e(rest: Partial<FunctionImage> = {}): FunctionImage {
  return functionImage(e1000eConfig(), { resources: e1000eResources, irq: 11, ...rest });
}
