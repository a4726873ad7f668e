import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  entrySizeOffset,
  extractKernel,
  guestAddresses,
  guestEntry,
  splitKernel,
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

describe('splitKernel', () => {
  it('parts the image behind its real-mode sectors and tells these where the rest will be', () => {
    const image = bzImage(Buffer.from('payload'), 27);
    const { realMode, protectedMode } = splitKernel(image);
    expect(realMode).toHaveLength(28 * 512 + 512);
    expect(realMode.readUInt32LE(0x214)).toBe(guestAddresses.entry);
    expect(protectedMode.equals(image.subarray(28 * 512))).toBe(true);
    expect(realMode.subarray(0x218, 28 * 512).equals(image.subarray(0x218, 28 * 512))).toBe(true);
  });
});

describe('guestEntry', () => {
  it('is the code it says, with the size where it says', () => {
    const code = guestEntry(0x11223344);
    expect(code.readUInt32LE(entrySizeOffset)).toBe(0x11223344);
    expect(code.toString('hex')).toBe(
      ['c7861802000000000008', 'c7861c02000044332211', 'b800000001', 'ffe0'].join(''),
    );
  });
});
