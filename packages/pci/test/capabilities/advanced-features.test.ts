import { describe, expect, it } from 'vitest';

import { type GuestViewOptions, buildGuestView } from '../../src/index.js';
import { byteRule } from '../support/guest.js';
import { ImageBuilder, functionImage } from '../support/image.js';

const viewOf = (options: GuestViewOptions, ...bytes: number[]) =>
  buildGuestView(functionImage(new ImageBuilder().chain({ at: 0x60, id: 0x13 }).u8(0x62, ...bytes).config), options);

describe('a function that can reset itself', () => {
  it('offers it when the host does it instead', () => {
    const view = viewOf({ functionReset: true }, 6, 3);
    expect(view.hidden).toEqual([]);
    expect(view.functionResets).toEqual([{ offset: 0x64, mask: 1 }]);
    expect(byteRule(view, 0x64)).toEqual({ virtual: 0xff, reset: 0, shadowWrite: 1 });
  });

  it('is hidden when the host cannot', () => {
    const view = viewOf({}, 6, 3);
    expect(view.hidden).toMatchObject([{ id: 0x13, reason: expect.stringContaining('reset') as string }]);
    expect(view.functionResets).toBeUndefined();
    expect(byteRule(view, 0x64)).toEqual({ virtual: 0xff, reset: 0, shadowWrite: 0 });
  });
});

it('without a reset, or of another length, it is hidden', () => {
  expect(viewOf({ functionReset: true }, 6, 1).hidden.length).toBe(1);
  expect(viewOf({ functionReset: true }, 5, 3).hidden).toMatchObject([{ reason: 'its length is 5, not 6' }]);
});
