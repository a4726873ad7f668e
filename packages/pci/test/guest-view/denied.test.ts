import { expect, it } from 'vitest';

import { buildGuestView, describeDenied } from '../../src/index.js';
import { ImageBuilder, functionImage } from '../support/image.js';

const { config } = new ImageBuilder()
  .chain({ at: 0x40, id: 1 }, { at: 0x50, id: 9 }, { at: 0x60, id: 2 })
  .u8(0x52, 12);

it('names registers of the header and of capabilities, by offset, bytes joined', () => {
  const denied = [
    { offset: 0x61, mask: 0xff, count: 1 },
    { offset: 0x68, mask: 0x01, count: 9 },
    { offset: 0x45, mask: 0x01, count: 2 },
    { offset: 0x07, mask: 0xf9, count: 5 },
    { offset: 0x04, mask: 0x10, count: 3 },
    { offset: 0x05, mask: 0x02, count: 4 },
  ];
  expect(describeDenied(config, denied)).toMatchObject([
    { offset: 0x04, width: 2, group: 'Header', name: 'command', mask: 0x0210, count: 4, allow: null },
    { offset: 0x06, group: 'Header', name: 'status', mask: 0xf900, count: 5, allow: null },
    { offset: 0x44, group: 'Power Management', name: 'powerManagementControlStatus', mask: 0x0100, allow: null },
    { offset: 0x61, group: 'AGP', name: 'nextPointer', allow: null },
    { offset: 0x68, group: 'AGP', name: 'command', mask: 1, count: 9, allow: null },
  ]);
});

it('says what opens a byte that no register describes, in words that the view takes', () => {
  const named = describeDenied(config, [
    { offset: 0x54, mask: 0x81, count: 7 },
    { offset: 0xe3, mask: 0x10, count: 1 },
  ]);
  expect(named.map(({ group, name, allow }) => [group, name, allow])).toEqual([
    ['Vendor Specific', 'byte 4', 'vendor-specific@0x50+4:0x81'],
    ['device-specific', 'byte 0', 'device-specific@0xe3+0:0x10'],
  ]);
  const allow = named.flatMap((one) => one.allow ?? []);
  const view = buildGuestView(functionImage(config), { allow });
  expect([view.words[0x54 >>> 2]?.rule.hardwareWrite, view.words[0xe0 >>> 2]?.rule.hardwareWrite]).toEqual([
    0x81, 0x1000_0000,
  ]);
});

it('ignores what is outside the first 256 bytes', () => {
  expect(describeDenied(config, [{ offset: 0x100, mask: 1, count: 1 }])).toEqual([]);
});
