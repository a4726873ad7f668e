import { Core, RegisterFile } from '@xenpt/core-wasm';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { buildGuestView } from '../../src/index.js';
import { ImageBuilder, functionImage } from '../support/image.js';

const at = 0x40;

it('never starts a storage write: flag F and data do not reach the device', () => {
  const view = buildGuestView(functionImage(new ImageBuilder().chain({ at, id: 0x03 }).config));
  const file = new RegisterFile(new Core(), 256);
  for (const { index, rule } of view.words) file.define(index, rule);
  fc.assert(
    fc.property(
      fc.constantFrom<readonly [number, 1 | 2 | 4]>(
        [0, 1],
        [1, 1],
        [2, 1],
        [3, 1],
        [0, 2],
        [2, 2],
        [0, 4],
        [4, 4],
        [6, 2],
      ),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      ([offset, width], value, word) => {
        const lane = offset & 3;
        const hardware = (word >>> (8 * lane)) & (width === 4 ? 0xffff_ffff : 2 ** (8 * width) - 1);
        file.write(at + offset, width, (value & (0xffff_ffff >>> (32 - 8 * width))) >>> 0, hardware >>> 0);
        if (offset >= 4) expect(file.hardwareByteEnables).toBe(0);
        expect(file.hardwareByteEnables & 0b0011).toBe(0);
        if ((file.hardwareByteEnables & 0b1000) !== 0) expect(file.hardwareValue >>> 31).toBe(0);
      },
    ),
  );
});

it('lets a guest read at an address', () => {
  const view = buildGuestView(functionImage(new ImageBuilder().chain({ at, id: 0x03 }).config));
  const file = new RegisterFile(new Core(), 256);
  for (const { index, rule } of view.words) file.define(index, rule);
  file.write(at + 2, 2, 0x0124, 0x8000);
  expect(file.hardwareByteEnables).toBe(0b1100);
  expect(file.hardwareValue >>> 16).toBe(0x0124);
});
