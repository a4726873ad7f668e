import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  entrySizeOffset,
  extractKernel,
  guestAddresses,
  flattenKernel,
  guestEntry,
  realModePart,
} from '../../src/image/linux-image.js';

function bzImage(payload: Buffer, setupSectors: number): Buffer {
  const realMode = (setupSectors === 0 ? 5 : setupSectors + 1) * 512;
  const image = Buffer.alloc(realMode + 64 + payload.length + 4 + 100, 0xaa);
  image.writeUInt8(setupSectors, 0x1f1);
  image.writeUInt32LE(64, 0x248);
  image.writeUInt32LE(payload.length + 4, 0x24c);
  payload.copy(image, realMode + 64);
  return image;
}

describe('extractKernel', () => {
  const kernel = Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(5000, 'kernel')]);

  it.each([27, 0])('finds the payload behind %i setup sectors', (setupSectors) => {
    expect(extractKernel(bzImage(gzipSync(kernel), setupSectors)).equals(kernel)).toBe(true);
  });

  it('refuses a packing it does not know, and a payload that is no ELF file', () => {
    expect(() => extractKernel(bzImage(Buffer.from('??????'), 4))).toThrow('packed in a way');
    expect(() => extractKernel(bzImage(gzipSync(Buffer.from('MZ is not ELF')), 4))).toThrow('not an ELF');
  });
});

describe('realModePart', () => {
  it('is the image up to the end of its real-mode sectors, told where to go on', () => {
    const image = bzImage(Buffer.from('payload'), 27);
    const realMode = realModePart(image);
    expect(realMode).toHaveLength(28 * 512 + 512);
    expect(realMode.readUInt32LE(0x214)).toBe(guestAddresses.entry);
    expect(realMode.subarray(0x218, 28 * 512).equals(image.subarray(0x218, 28 * 512))).toBe(true);
  });
});

/** An ELF-64 file of segments, each at its physical address. */
function elf(entry: number, segments: readonly { type: number; address: number; content: string }[]): Buffer {
  const headersEnd = 64 + segments.length * 56;
  const file = Buffer.alloc(headersEnd);
  file.write('\x7fELF', 0, 'latin1');
  file.writeBigUInt64LE(BigInt(entry), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(segments.length, 56);
  let offset = headersEnd;
  segments.forEach(({ type, address, content }, index) => {
    const at = 64 + index * 56;
    file.writeUInt32LE(type, at);
    file.writeBigUInt64LE(BigInt(offset), at + 8);
    file.writeBigUInt64LE(0xffff_ffff_8000_0000n + BigInt(address), at + 16);
    file.writeBigUInt64LE(BigInt(address), at + 24);
    file.writeBigUInt64LE(BigInt(content.length), at + 32);
    offset += content.length;
  });
  return Buffer.concat([file, Buffer.from(segments.map(({ content }) => content).join(''))]);
}

describe('flattenKernel', () => {
  const { kernel, initramfs } = guestAddresses;

  it('puts each loadable segment where it belongs, and zeros between', () => {
    const { image, entry } = flattenKernel(
      elf(kernel + 2, [
        { type: 1, address: kernel, content: 'text' },
        { type: 1, address: kernel + 8, content: 'data' },
        { type: 4, address: 0, content: 'note' },
      ]),
    );
    expect(entry).toBe(kernel + 2);
    expect(image.toString('latin1')).toBe('text\0\0\0\0data');
  });

  it.each([
    ['entered behind its end', elf(kernel + 4, [{ type: 1, address: kernel, content: 'text' }])],
    ['linked for elsewhere', elf(kernel, [{ type: 1, address: kernel - 4096, content: 'text' }])],
    ['without anything to load', elf(0, [])],
    [
      'that reaches into the initramfs',
      elf(kernel, [
        { type: 1, address: kernel, content: 'text' },
        { type: 1, address: initramfs, content: 'data' },
      ]),
    ],
  ])('refuses a kernel %s', (_name, file) => {
    expect(() => flattenKernel(file)).toThrow(expect.objectContaining({ code: 'LAB_IMAGE_BUILD_FAILED' }) as Error);
  });
});

describe('guestEntry', () => {
  it('is what an assembler makes of its comments, with the size where it says', () => {
    const code = guestEntry(0x1000000, 0x11223344);
    expect(code.readUInt32LE(entrySizeOffset)).toBe(0x11223344);
    expect(code.toString('hex')).toBe(
      [
        'c7861802000000000008c7861c02000044332211bf0000e00031c0b900180000',
        '890783c7044975f8c7050000e0000310e000c7050010e0000320e000c7050810',
        'e0000330e000c7051010e0000340e000c7051810e0000350e000bf0020e000b8',
        '83000000890783c708050000200073f40f20e083c8200f22e0b80000e0000f22',
        'd8b9800000c00f320fbae8080f300f20c00fbae81f0f22c00f0115da00f000ea',
        'a600f0001000b8180000008ed88ec08ed089f6b800000001ffe0000000000000',
        '00000000000000000000ffff0000009aaf00ffff00000092cf001f00ba00f000',
      ].join(''),
    );
  });
});
