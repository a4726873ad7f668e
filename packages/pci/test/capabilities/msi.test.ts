import { describe, expect, it } from 'vitest';

import { buildGuestView } from '../../src/index.js';
import { ImageBuilder, functionImage } from '../support/image.js';
import { byteRule } from '../support/guest.js';

function viewOf(control: number, fill = 0) {
  const image = new ImageBuilder();
  image.config.fill(fill, 0x40);
  return buildGuestView(functionImage(image.chain({ at: 0x50, id: 0x05 }).u16(0x52, control).config));
}

describe.each([
  ['32 bits', 0x0000, { is64Bit: false, dataOffset: 0x58 }, 12],
  ['64 bits', 0x0080, { is64Bit: true, addressHighOffset: 0x58, dataOffset: 0x5c }, 16],
  ['32 bits, maskable', 0x0100, { is64Bit: false, dataOffset: 0x58 }, 20],
  ['64 bits, maskable', 0x0180, { is64Bit: true, addressHighOffset: 0x58, dataOffset: 0x5c }, 24],
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
    expect(virtual.lastIndexOf(true)).toBe(sizeBytes - 1);
  });

  it('offers one vector without masking, disabled', () => {
    const view = viewOf(control | 0x0011 | 0x000e);
    expect(byteRule(view, 0x52)).toEqual({ virtual: 0xff, reset: control & 0x80, shadowWrite: 0x71 });
    expect(byteRule(view, 0x53)).toEqual({ virtual: 0xff, reset: 0, shadowWrite: 0 });
  });
});

it('shows nothing of the host’s message, mask and pending bits', () => {
  const view = viewOf(0x0180, 0xa5);
  for (let offset = 0x54; offset < 0x5e; offset += 1) expect(byteRule(view, offset)).toMatchObject({ reset: 0 });
  for (let offset = 0x60; offset < 0x68; offset += 1) {
    expect(byteRule(view, offset)).toEqual({ virtual: 0xff, reset: 0, shadowWrite: 0 });
  }
});
