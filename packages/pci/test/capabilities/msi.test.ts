import { describe, expect, it } from 'vitest';

import { buildGuestView } from '../../src/index.js';
import { ImageBuilder, functionImage } from '../support/image.js';
import { byteRule } from '../support/guest.js';

function viewOf(control: number, fill = 0, msiVectorLimit?: number) {
  const image = new ImageBuilder();
  image.config.fill(fill, 0x40);
  const { config } = image.chain({ at: 0x50, id: 0x05 }).u16(0x52, control);
  return buildGuestView(functionImage(config), msiVectorLimit === undefined ? {} : { msiVectorLimit });
}

describe.each([
  ['32 bits', 0x0000, { is64Bit: false, dataOffset: 0x58 }, 12],
  ['64 bits', 0x0080, { is64Bit: true, addressHighOffset: 0x58, dataOffset: 0x5c }, 16],
  ['32 bits, maskable', 0x0100, { is64Bit: false, dataOffset: 0x58, maskOffset: 0x5c }, 20],
  ['64 bits, maskable', 0x0180, { is64Bit: true, addressHighOffset: 0x58, dataOffset: 0x5c, maskOffset: 0x60 }, 24],
])('%s', (_name, control, geometry, sizeBytes) => {
  it('says where a guest programs its message', () => {
    expect(viewOf(control).msi).toEqual({
      offset: 0x50,
      vectorCount: 1,
      controlOffset: 0x52,
      addressOffset: 0x54,
      ...geometry,
    });
  });

  it('covers its bytes and no more', () => {
    const view = viewOf(control);
    const virtual = Array.from({ length: 0x80 - 0x50 }, (_, at) => byteRule(view, 0x50 + at).virtual === 0xff);
    // The pending bits, at the end, are the device's.
    expect(virtual.lastIndexOf(true)).toBe(sizeBytes - 1 - ((control & 0x100) === 0 ? 0 : 4));
  });

  it('offers one vector, disabled, and masking where the function masks', () => {
    const view = viewOf(control | 0x0011 | 0x000e);
    expect(byteRule(view, 0x52)).toEqual({ virtual: 0xff, reset: control & 0x80, shadowWrite: 0x71 });
    expect(byteRule(view, 0x53)).toEqual({ virtual: 0xff, reset: control >>> 8, shadowWrite: 0 });
  });

  it.each([
    [0, 32, 1],
    [1, 32, 2],
    [3, 32, 8],
    [3, 7, 4],
    [3, 1, 1],
    [5, 32, 32],
    [6, 32, 32],
    [7, 64, 32],
    [7, 0, 1],
  ])('M4: capable of 2^%d, of which the host takes %d: %d offered', (capable, limit, offered) => {
    const view = viewOf(control | (capable << 1), 0, limit);
    expect(view.msi?.vectorCount).toBe(offered);
    expect(byteRule(view, 0x52).reset & 0x0e).toBe(Math.log2(offered) << 1);
    const { maskOffset } = view.msi ?? {};
    if (maskOffset === undefined) return;
    for (let lane = 0; lane < 4; lane += 1) {
      const vectors = Math.max(0, Math.min(8, offered - 8 * lane));
      expect(byteRule(view, maskOffset + lane)).toEqual({ virtual: 0xff, reset: 0, shadowWrite: 2 ** vectors - 1 });
    }
  });
});

it('shows nothing of the host’s message and masks, and the pending bits as the device has them', () => {
  const view = viewOf(0x0180, 0xa5);
  for (let offset = 0x54; offset < 0x64; offset += 1) expect(byteRule(view, offset)).toMatchObject({ reset: 0 });
  expect(byteRule(view, 0x60)).toMatchObject({ virtual: 0xff, shadowWrite: 1 });
  for (let offset = 0x64; offset < 0x68; offset += 1) {
    expect(byteRule(view, offset)).toEqual({ virtual: 0, reset: 0, shadowWrite: 0 });
  }
});
