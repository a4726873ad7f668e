import { expect, it } from 'vitest';

import { assumeResources } from '../../src/index.js';
import { resolveBars } from '../../src/bars/bar.js';
import { e1000eConfig, e1000eResources } from '../support/e1000e.js';
import { ImageBuilder } from '../support/image.js';

it('takes the sizes that are known, and says which are not', () => {
  const known = new Map(e1000eResources.map(({ start, sizeBytes }) => [start, sizeBytes]));
  expect(assumeResources(e1000eConfig(), known)).toEqual({ resources: e1000eResources, assumed: [] });
  expect(assumeResources(e1000eConfig()).assumed).toEqual([0, 1, 2, 3, 6]);
});

it('assumes no more than the address allows, so that each is a BAR', () => {
  const config = new ImageBuilder()
    .u32(0x10, 0xc000_000c)
    .u32(0x14, 0x0000_3830)
    .u32(0x18, 0x0000_c041)
    .u32(0x1c, 0xfebf_f010)
    .u32(0x30, 0xfeb8_0001).config;
  const { resources } = assumeResources(config);
  expect(resources.map(({ index, sizeBytes, is64Bit }) => [index, sizeBytes, is64Bit])).toEqual([
    [0, 1n << 24n, true],
    [2, 0x40n, false],
    [3, 0x10n, false],
    [6, 1n << 18n, false],
  ]);
  expect(resolveBars(resources)).toHaveLength(4);
});
