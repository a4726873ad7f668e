import fc from 'fast-check';
import { expect, it } from 'vitest';

import { PciError, buildGuestView, parseExpansionRom } from '../../src/index.js';
import { e1000e } from '../support/e1000e.js';
import { expansionRom } from '../support/rom.js';

it('gives every image', () => {
  expect(parseExpansionRom(expansionRom(2, 5))).toEqual([
    { offset: 0, sizeBytes: 1024, vendorId: 0x8086, deviceId: 0x10d3, codeType: 0 },
    { offset: 1024, sizeBytes: 2560, vendorId: 0x8086, deviceId: 0x10d3, codeType: 3 },
  ]);
});

const broken = (change: (bytes: DataView) => void, ...blocks: number[]): Uint8Array => {
  const bytes = expansionRom(...blocks);
  change(new DataView(bytes.buffer));
  return bytes;
};

it.each([
  ['nothing', new Uint8Array(0), '0 bytes'],
  ['too much', new Uint8Array((1 << 24) + 1), 'a ROM has 1 to'],
  ['no signature', broken((view) => view.setUint16(0, 0xaa55), 1), 'not 0xaa55'],
  ['a pointer outside', broken((view) => view.setUint16(0x18, 0xfff0, true), 1), 'data structure'],
  ['a pointer into the head', broken((view) => view.setUint16(0x18, 0, true), 1), 'data structure'],
  ['no PCIR', broken((view) => view.setUint8(0x1c, 0x50 + 1), 1), 'PCIR'],
  ['length 0, which would never end', broken((view) => view.setUint16(0x2c, 0, true), 1), 'no length'],
  ['a length behind the end', broken((view) => view.setUint16(0x2c, 9, true), 1), 'ends at byte'],
  ['no last image', broken((view) => view.setUint8(0x31, 0), 1), 'none before was the last'],
])('%s is refused', (_name, bytes, reason) => {
  expect(() => parseExpansionRom(bytes)).toThrow(
    expect.objectContaining({
      code: 'PCI_ROM_INVALID',
      message: expect.stringContaining(reason) as string,
    }) as Error,
  );
});

it('ends, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 2048 }), fc.boolean(), (noise, signed) => {
      const bytes = Uint8Array.from(noise);
      if (signed && bytes.length > 2) bytes.set([0x55, 0xaa]);
      try {
        parseExpansionRom(bytes);
      } catch (error) {
        if (!(error instanceof PciError)) throw error;
      }
    }),
  );
});

it('a file stands in the view instead of the device’s, in a power of two of whole pages', () => {
  const view = buildGuestView(e1000e(), { romImage: expansionRom(9) });
  expect(view.bars.find(({ index }) => index === 6)).toMatchObject({ sizeBytes: 8192n, hostSizeBytes: 4608n });
  expect(view.romImage?.length).toBe(4608);
  expect(buildGuestView(e1000e(), { romImage: expansionRom(1) }).bars.at(-1)).toMatchObject({ sizeBytes: 4096n });
});

it('none stands in it when none is wanted, and what is no ROM is refused', () => {
  expect(buildGuestView(e1000e(), { expansionRom: false }).bars.some(({ index }) => index === 6)).toBe(false);
  expect(() => buildGuestView(e1000e(), { romImage: new Uint8Array(512) })).toThrow(/no expansion ROM/);
});
