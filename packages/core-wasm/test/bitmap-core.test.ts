import { describe, expect, test, vi } from 'vitest';
import {
  BITMAP_WORKSPACE_BYTES,
  BitmapCore,
  CoreError,
  CoreRangeError,
  CoreTypeError,
  DirtyBitmap,
  type BitmapCoreOptions,
} from '../src/index.js';

const MEBIBYTE = 2 ** 20;

describe('BitmapCore', () => {
  test('is the release build with what the engine has, in memory of its own', () => {
    const core = new BitmapCore();
    expect([core.build, core.simd, core.shared]).toEqual(['release', true, false]);
    expect(core.memory.buffer).toBeInstanceOf(ArrayBuffer);
    expect(new BitmapCore({ shared: true }).memory.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(new BitmapCore({ simd: false, build: 'debug' })).toMatchObject({ simd: false, build: 'debug' });
  });

  test.each([false, true])('load gives the same without blocking (shared %s)', async (shared) => {
    const core = await BitmapCore.load({ shared, maximumBytes: 2 * MEBIBYTE });
    const bitmap = DirtyBitmap.fromBytes(core, Uint8Array.of(0b1010));
    expect([core.shared, bitmap.count()]).toEqual([shared, 2]);
    const over = await BitmapCore.load({ memory: core.memory, start: core.allocate(BITMAP_WORKSPACE_BYTES) });
    expect(over.memory).toBe(core.memory);
  });

  test.each([true, false])(
    'works in the memory of another, and writes nothing but its region (shared %s)',
    (shared) => {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: 32, shared });
      const bytes = new Uint8Array(memory.buffer);
      bytes.fill(0xa5);
      const [start, end] = [65_536, 65_536 + BITMAP_WORKSPACE_BYTES];
      const core = new BitmapCore({ memory, start, end });
      expect([core.workspaceAddress, core.shared]).toEqual([start, shared]);
      const bitmap = new DirtyBitmap(core, end + 64, 20 * 16_384);
      const before = bytes.slice();
      for (let from = 0; from < bitmap.endFrame;) from = bitmap.runs(from).nextFrame;
      for (let from = 0; from < bitmap.endFrame;) from = bitmap.extract(from).nextFrame;
      bitmap.histogramAll(1);
      bytes.forEach((byte, address) => {
        if ((address < start || address >= end) && byte !== before[address]) throw new Error(`written: ${address}`);
      });
      expect(bitmap.count()).toBe(10 * 16_384);
      expect(() => core.allocate(1)).toThrow(expect.objectContaining({ code: 'CORE_MEMORY_LIMIT' }));
    },
  );

  test('memory without a maximum, and memory that is not shared with one, both fit', () => {
    expect(new BitmapCore({ memory: new WebAssembly.Memory({ initial: 1 }) }).shared).toBe(false);
    expect(new BitmapCore({ memory: new WebAssembly.Memory({ initial: 1, maximum: 99 }) }).shared).toBe(false);
  });

  test('two cores over one memory share bitmaps and nothing else', () => {
    const one = new BitmapCore({ shared: true });
    const start = one.allocate(BITMAP_WORKSPACE_BYTES);
    const other = new BitmapCore({ memory: one.memory, start, end: start + BITMAP_WORKSPACE_BYTES });
    const bitmap = DirtyBitmap.allocate(one, 1000);
    bitmap.set(10, 20);
    const seen = new DirtyBitmap(other, bitmap.address, 1000);
    const [mine, theirs] = [bitmap.extract(), seen.extract(15)];
    expect([[...mine.pages].length, [...theirs.pages].length]).toEqual([10, 5]);
    bitmap.or(seen);
    expect(seen.harvest(DirtyBitmap.allocate(one, 1000))).toBe(10);
  });

  test('allocate: zeros, multiples of 64, apart; bitmaps go on working when the memory has grown', () => {
    const core = new BitmapCore();
    const bitmap = DirtyBitmap.allocate(core, 100);
    bitmap.set(3, 5);
    const [first, second] = [core.allocate(1), core.allocate(5 * MEBIBYTE)];
    expect([first % 64, second % 64, second - first]).toEqual([0, 0, 64]);
    const bytes = new Uint8Array(core.memory.buffer, second, 5 * MEBIBYTE);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect([bitmap.count(), [...bitmap.extract().pages], bitmap.bytes[0]]).toEqual([2, [3, 4], 0b1_1000]);
  });

  test('a gigabyte of bitmaps fits, and what does not is refused without harm', () => {
    const core = new BitmapCore({ maximumBytes: 1.5 * 1024 * MEBIBYTE });
    const far = core.allocate(1024 * MEBIBYTE);
    const bitmap = new DirtyBitmap(core, far + 1024 * MEBIBYTE - 4096, 32_768);
    bitmap.set(32_767);
    expect([...bitmap]).toEqual([{ start: 32_767, length: 1 }]);
    expect(() => core.allocate(1024 * MEBIBYTE)).toThrow(CoreError);
    expect(core.allocate(64)).toBe(far + 1024 * MEBIBYTE);
  });

  test.each<[string, BitmapCoreOptions, typeof CoreTypeError | typeof CoreRangeError, RegExp]>([
    ['build', { build: 'fast' as 'debug' }, CoreTypeError, /build is fast/],
    ['simd', { simd: 1 as unknown as boolean }, CoreTypeError, /simd must be a boolean/],
    ['shared', { shared: 'yes' as unknown as boolean }, CoreTypeError, /shared must be a boolean/],
    ['memory', { memory: new ArrayBuffer(8) as unknown as WebAssembly.Memory }, CoreTypeError, /WebAssembly.Memory/],
    ['memory and shared', { memory: new BitmapCore().memory, shared: true }, CoreTypeError, /leave out shared/],
    ['a start between', { start: 32 }, CoreRangeError, /start is 32: pass a multiple of 64/],
    ['a start below', { start: -64 }, CoreRangeError, /start is -64/],
    ['an end too near', { end: 1000 }, CoreRangeError, /end is 1000/],
    ['maximumBytes', { maximumBytes: 2 ** 32 }, CoreRangeError, /maximumBytes is 4294967296/],
  ])('%s is refused', (_, options, kind, sentence) => {
    expect(() => new BitmapCore(options)).toThrow(kind);
    expect(() => new BitmapCore(options)).toThrow(sentence);
  });

  test('memory that is too small and cannot grow is refused', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    expect(() => new BitmapCore({ memory })).toThrow(expect.objectContaining({ code: 'CORE_MEMORY_LIMIT' }));
  });

  test('an engine without SIMD gets the scalar kernels, and is told so when it is asked for more', async () => {
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    vi.resetModules();
    try {
      const fresh = await import('../src/index.js');
      expect(new fresh.BitmapCore().simd).toBe(false);
      expect(() => new fresh.BitmapCore({ simd: true })).toThrow(
        expect.objectContaining({ code: 'CORE_UNSUPPORTED' }),
      );
      const bitmap = fresh.DirtyBitmap.fromBytes(new fresh.BitmapCore(), Uint8Array.of(7));
      expect(bitmap.count()).toBe(3);
    } finally {
      validate.mockRestore();
    }
  });
});
