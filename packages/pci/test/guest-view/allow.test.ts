import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { buildGuestView, formatAllowedField, parseAllowedField } from '../../src/index.js';
import { ImageBuilder, functionImage } from '../support/image.js';

/** PM at 40, a vendor's 12 bytes at 50, AGP (hidden) at 60, MSI at 80. */
const image = functionImage(
  new ImageBuilder()
    .chain({ at: 0x40, id: 1 }, { at: 0x50, id: 9 }, { at: 0x60, id: 2 }, { at: 0x80, id: 5 })
    .u8(0x52, 12).config,
);
const words = (...allow: string[]) => buildGuestView(image, { allow }).words;
const openedBy = (...allow: string[]) =>
  words(...allow)
    .filter(({ index, rule }) => index !== 1 && rule.hardwareWrite !== 0)
    .map(({ index, rule }) => [4 * index, rule.hardwareWrite]);

describe('a field', () => {
  it('is read by its grammar and nothing else', () => {
    expect(parseAllowedField('vendor-specific@0x90+4:0xff')).toEqual({
      group: 'vendor-specific',
      offset: 0x90,
      byte: 4,
      mask: 0xff,
    });
    expect(parseAllowedField('device-specific@0xe0+0x0:0x80000000').mask).toBe(0x8000_0000);
  });

  it.each([
    '',
    'vendor-specific',
    'vendor-specific@0x90',
    'vendor-specific@90+4:0xff',
    'vendor-specific@0x90+4:ff',
    'vendor-specific@0x90+4:0x0',
    'vendor-specific@0x90+4:0x1ffffffff',
    'vendor-specific@0x90+-4:0xff',
    'Vendor-Specific@0x90+4:0xff',
    'vendor-specific@0x90+4:0xff ',
    ' vendor-specific@0x90+4:0xff',
    'vendor-specific@0x90+4:0xff\n',
    'vendor-specific@0x100+4:0xff',
    'vendor-specific@0x90+4:0xff,device-specific@0xe0+0:0xff',
  ])('%j is none', (text) => {
    expect(() => parseAllowedField(text)).toThrow(expect.objectContaining({ code: 'PCI_ALLOW_SYNTAX' }) as Error);
  });

  it('comes back from its text', () => {
    const field = fc.record({
      group: fc.constantFrom('vendor-specific', 'device-specific', 'msi-x'),
      offset: fc.integer({ min: 0, max: 255 }),
      byte: fc.integer({ min: 0, max: 255 }),
      mask: fc.integer({ min: 1, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(field, (one) => {
        expect(parseAllowedField(formatAllowedField(one))).toEqual(one);
      }),
    );
  });
});

describe('opens', () => {
  it('what it names, to the bit', () => {
    expect(openedBy('vendor-specific@0x50+4:0xff')).toEqual([[0x54, 0xff]]);
    expect(openedBy('vendor-specific@0x50+3:0x10f')).toEqual([
      [0x50, 0x0f00_0000],
      [0x54, 0x01],
    ]);
    expect(openedBy('vendor-specific@0x50+8:0xffffffff')).toEqual([[0x58, 0xffff_ffff]]);
    expect(openedBy('device-specific@0xe0+1:0x80')).toEqual([[0xe0, 0x8000]]);
  });

  it('several, joined', () => {
    expect(openedBy('vendor-specific@0x50+4:0x01', 'vendor-specific@0x50+4:0x80')).toEqual([[0x54, 0x81]]);
  });

  it('nothing that is denied to be counted afterwards', () => {
    const deniable = (allow: string[]) => words(...allow)[0x54 >>> 2]?.deniable;
    expect(deniable([])).toBe(0xffff_ffff);
    expect(deniable(['vendor-specific@0x50+4:0x0f'])).toBe(0xffff_fff0);
  });
});

describe('is refused', () => {
  it.each([
    ['vendor-specific@0x90+4:0xff', 'no such capability there'],
    ['msi@0x50+4:0xff', 'no such capability there'],
    ['agp@0x60+4:0xff', 'no such capability there'],
    ['vendor-specific@0x50+12:0xff', 'outside the capability'],
    ['vendor-specific@0x50+11:0x1ff', 'outside the capability'],
    ['vendor-specific@0x50+0:0xff', 'is known'],
    ['vendor-specific@0x50+2:0xff', 'is known'],
    ['power-management@0x40+4:0x03', 'is known'],
    ['msi@0x80+2:0x01', 'is known'],
    ['msi@0x80+8:0xffff', 'is known'],
    ['device-specific@0x54+0:0xff', 'belongs to Vendor Specific'],
    ['device-specific@0x64+0:0xff', 'is known'],
    ['device-specific@0x04+0:0x03', 'not between'],
    ['device-specific@0x10+0:0xff', 'not between'],
    ['device-specific@0x3f+0:0x100', 'belongs to Power Management'],
    ['device-specific@0xff+0:0x1ff', 'not between'],
    ['device-specific@0xff+1:0xff', 'not between'],
  ])('%s: %s', (text, reason) => {
    expect(() => words(text)).toThrow(
      expect.objectContaining({
        code: 'PCI_ALLOW_REFUSED',
        message: expect.stringContaining(reason) as string,
      }) as Error,
    );
  });
});

it.each([
  ['vendor-specfic@0x50+4:0xff', 'Did you mean vendor-specific@0x50?'],
  ['vendor-specific@0x54+4:0xff', 'Did you mean vendor-specific@0x50?'],
  ['device-specfic@0xe0+0:0xff', 'Did you mean device-specific@0xe0?'],
  [
    'agp@0x60+4:0xff',
    'It has power-management@0x40, vendor-specific@0x50, msi@0x80; what is in none is device-specific.',
  ],
])('%s is refused with what was meant', (text, nextStep) => {
  expect(() => words(text)).toThrow(expect.objectContaining({ code: 'PCI_ALLOW_REFUSED', nextStep }) as Error);
});
