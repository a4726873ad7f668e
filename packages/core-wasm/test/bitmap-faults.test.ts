import { describe, expect, test } from 'vitest';
import { BitmapCore } from '../src/index.js';
import type { BitmapKernels } from '../src/bitmap-kernels.js';
import { compareReads, compareWrites } from './bitmap-compare.js';
import { Guarded, flip, randomPages } from './bitmap-model.js';

// The comparisons of bitmap.test.ts are worth what they can find: each kernel is made to err by one bit, one page or
// one entry, and each time the comparison must say so.

const PAGES = 50_000;

type Name = keyof BitmapKernels;

/** A core of which one kernel gives what `spoil` makes of its result. */
function faulty(name: Name, spoil: (core: BitmapCore, result: number, bitmap: number) => number): BitmapCore {
  const core = new BitmapCore();
  const kernels = core.kernels as unknown as Record<Name, (...values: number[]) => number>;
  const withWorkspace = ['bitmapExtract', 'bitmapRuns', 'bitmapHistogram'].includes(name);
  const wrong = (...values: number[]): number => {
    const result = kernels[name](...values);
    return spoil(core, result, values[withWorkspace ? 1 : 0] ?? 0);
  };
  Object.defineProperty(core, 'kernels', { value: { ...kernels, [name]: wrong } });
  return core;
}

const entry = (core: BitmapCore, result: number): number => {
  const output = new Uint32Array(core.memory.buffer, core.batchAddress, 65_536);
  output[result >> 1] = (output[result >> 1] ?? 0) ^ 1;
  return result;
};
const bit = (core: BitmapCore, result: number, bitmap: number): number => {
  flip(new Uint8Array(core.memory.buffer, bitmap), 4567);
  return result;
};
const more = (_: BitmapCore, result: number): number => result + 1;
const padding = (core: BitmapCore, result: number, bitmap: number): number => {
  flip(new Uint8Array(core.memory.buffer, bitmap), PAGES + 1);
  return result;
};

function compareAll(core: BitmapCore, atomic: boolean): void {
  const one = new Guarded(core, PAGES, randomPages(PAGES, 0.01, false, 1));
  const other = new Guarded(core, PAGES, randomPages(PAGES, 0.1, true, 2));
  compareReads(one, 3, PAGES - 3, 512);
  compareWrites(one, other, 3, PAGES - 3, atomic);
}

describe('the comparison', () => {
  test('finds nothing where nothing is wrong', () => {
    compareAll(new BitmapCore(), false);
    compareAll(new BitmapCore(), true);
  });

  test.each<[Name, string, (core: BitmapCore, result: number, bitmap: number) => number]>([
    ['bitmapAny', 'the opposite', (_, result) => 1 - result],
    ['bitmapCount', 'one more', more],
    ['bitmapExtract', 'another entry', entry],
    ['bitmapExtract', 'an entry less', (_, result) => result - 1],
    ['bitmapRuns', 'another entry', entry],
    ['bitmapHistogram', 'another entry', entry],
    ['bitmapSet', 'a bit flipped', bit],
    ['bitmapClear', 'a bit flipped', bit],
    ['bitmapOr', 'a bit flipped', bit],
    ['bitmapAndNot', 'a bit flipped', bit],
    ['bitmapHarvest', 'a bit flipped', bit],
    ['bitmapHarvest', 'one more', more],
    ['bitmapHarvest', 'a padding bit changed', padding],
    ['bitmapHarvestAtomic', 'a bit flipped', bit],
    ['bitmapHarvestAtomic', 'one more', more],
  ])('%s, %s: found', (name, _, spoil) => {
    expect(() => compareAll(faulty(name, spoil), name === 'bitmapHarvestAtomic')).toThrow();
  });
});
