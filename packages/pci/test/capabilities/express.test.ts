import { describe, expect, it } from 'vitest';

import { buildGuestView, decodeConfigSpace } from '../../src/index.js';
import { ImageBuilder, functionImage } from '../support/image.js';
import { byteRule } from '../support/guest.js';

function config(version: number, deviceType: number): Uint8Array {
  return new ImageBuilder()
    .chain({ at: 0x60, id: 0x10 })
    .u16(0x62, version | (deviceType << 4))
    .u32(0x64, 0x1000_8001)
    .u32(0x6c, 0x0000_0413).config;
}

describe('size', () => {
  it.each([
    [1, 0, 0x14],
    [1, 1, 0x14],
    [1, 9, 0x0c],
    [2, 0, 0x3c],
    [2, 9, 0x3c],
  ])('of version %i, type %i is 0x%s', (version, deviceType, sizeBytes) => {
    expect(decodeConfigSpace(config(version, deviceType)).capabilities).toMatchObject([{ sizeBytes }]);
  });

  it.each([
    [0, 0],
    [3, 0],
    [2, 4],
    [2, 10],
    [1, 5],
  ])('is not known of version %i, type %i: hidden', (version, deviceType) => {
    const decoded = decodeConfigSpace(config(version, deviceType));
    expect(decoded.capabilities).toEqual([]);
    expect(decoded.hidden).toMatchObject([
      { id: 0x10, reason: expect.stringContaining('not an endpoint') as string },
    ]);
  });
});

it('hides the function level reset and keeps link and device control to the guest', () => {
  const view = buildGuestView(functionImage(config(2, 0)));
  expect(byteRule(view, 0x67)).toEqual({ virtual: 0x10, reset: 0, shadowWrite: 0 });
  expect(view.words[0x68 >>> 2]?.rule).toMatchObject({ virtual: 0xffff, reset: 0x2810, shadowWrite: 0x7bff });
  expect(view.words[0x88 >>> 2]?.rule).toMatchObject({ virtual: 0xffff, shadowWrite: 0x001f });
  for (const { index, rule } of view.words) if (index > 2) expect(rule.hardwareWrite).toBe(0);
});

it('starts the target link speed at the highest supported', () => {
  const view = buildGuestView(functionImage(config(2, 0)));
  expect(view.words[0x90 >>> 2]?.rule.reset).toBe(3);
});
