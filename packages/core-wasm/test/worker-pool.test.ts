import { getActiveResourcesInfo } from 'node:process';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { BITMAP_WORKSPACE_BYTES, BitmapCore, CoreRangeError, CoreTypeError, DirtyBitmap } from '../src/index.js';
import { ScanPool, type ScanPoolOptions, type ScanProgress } from '../src/worker.js';
import { fill, filled, framesOf, hashOf, runsOf, sharedCore, watchThreads } from './worker-support.js';

const pools: ScanPool[] = [];
async function open(options: ScanPoolOptions = {}): Promise<ScanPool> {
  const pool = await ScanPool.open({ threads: 2, offloadBytes: 0, ...options });
  pools.push(pool);
  return pool;
}
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

/** One MiB of bitmap: 4 chunks, 128 units. */
const PAGES = 2 ** 23;

test('a worker that sleeps after a scan hears of another memory, after whatever time', async () => {
  const pool = await open({ threads: 1, ownThread: false });
  for (const pauseMs of [0, 1, 20, 1100]) {
    const bitmap = filled(sharedCore(), { pageCount: PAGES, density: 0.1, runPages: 3, seed: 1 });
    expect(await pool.count(bitmap)).toBe(bitmap.count());
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    expect((await pool.histogram(bitmap, 512)).counts).toEqual(bitmap.histogramAll(512));
  }
});

describe.each([
  ['one worker and this thread', { threads: 1, ownThread: true }],
  ['one worker alone', { threads: 1, ownThread: false }],
  ['four workers and this thread', { threads: 4, ownThread: true }],
  ['four workers', { threads: 4, ownThread: false }],
  ['too small for workers', { threads: 1, offloadBytes: 2 ** 32 }],
])('the pool says what the bitmap says: %s', (_, options) => {
  const core = sharedCore();
  const [storage, other] = [DirtyBitmap.allocate(core, PAGES), DirtyBitmap.allocate(core, PAGES)];
  let pool: ScanPool;
  beforeAll(async () => void (pool = await ScanPool.open({ offloadBytes: 0, ...options })));
  afterAll(() => pool.close());

  const fillings = fc.record({
    pageCount: fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 2 ** 20, max: PAGES })),
    density: fc.constantFrom(0, 0.0001, 0.01, 0.1, 0.5, 0.9, 1),
    runPages: fc.constantFrom(1, 3, 64, 5000),
    seed: fc.integer(),
    baseFrame: fc.constantFrom(0, 12_345, 2 ** 40 + 1),
  });
  const range = fc.tuple(fc.nat(PAGES), fc.nat(PAGES));
  const shift = fc.nat(31);

  test('any size, density and range', async () => {
    const property = async (filling: Parameters<typeof fill>[1], [one, two]: [number, number], shift: number) => {
      const { pageCount, baseFrame = 0 } = filling;
      const bitmap = new DirtyBitmap(core, storage.address, pageCount, { baseFrame });
      fill(bitmap, filling);
      const [low, high] = [Math.min(one, two) % (pageCount + 1), Math.max(one, two) % (pageCount + 1)];
      const [startFrame, endFrame] = [baseFrame + Math.min(low, high), baseFrame + Math.max(low, high)];
      const where = { startFrame, endFrame };

      expect(await pool.count(bitmap)).toBe(bitmap.count());
      expect(await pool.count(bitmap, where)).toBe(bitmap.count(startFrame, endFrame));
      expect(await hashOf(pool.extract(bitmap), ({ pages }) => pages)).toBe(framesOf(bitmap));
      expect(await hashOf(pool.extract(bitmap, where), ({ pages }) => pages)).toBe(
        framesOf(bitmap, startFrame, endFrame),
      );
      expect(await hashOf(pool.runs(bitmap), ({ pairs }) => pairs)).toBe(runsOf(bitmap));
      expect(await hashOf(pool.runs(bitmap, where), ({ pairs }) => pairs)).toBe(runsOf(bitmap, startFrame, endFrame));
      const regionPages = 2 ** Math.max(shift, pageCount > 100_000 ? 4 : 0);
      expect((await pool.histogram(bitmap, regionPages)).counts).toEqual(bitmap.histogramAll(regionPages));
    };
    await fc.assert(fc.asyncProperty(fillings, range, shift, property), { numRuns: 8 });
  });

  test('a histogram of a range that begins and ends inside regions', async () => {
    const bitmap = new DirtyBitmap(core, storage.address, PAGES, { baseFrame: 100 });
    fill(bitmap, { pageCount: PAGES, density: 0.3, runPages: 7, seed: 5 });
    for (const regionPages of [2 ** 9, 2 ** 20, 2 ** 22, 2 ** 31]) {
      const [startFrame, endFrame] = [100 + 2 ** 20 + 3, 100 + PAGES - 77];
      const { counts, firstRegion } = await pool.histogram(bitmap, regionPages, { startFrame, endFrame });
      const direct = bitmap.histogram(regionPages, startFrame, endFrame);
      expect(firstRegion).toBe(direct.firstRegion);
      expect(counts).toEqual(direct.counts.slice());
    }
  });

  test('histograms into one buffer of the caller, the one after the other and beside each other', async () => {
    const bitmap = new DirtyBitmap(core, storage.address, PAGES);
    fill(bitmap, { pageCount: PAGES, density: 0.3, runPages: 7, seed: 6 });
    const [one, two] = [new SharedArrayBuffer(4 * 2 ** 14), new SharedArrayBuffer(4 * 2 ** 14 + 20)];
    for (const regionPages of [2 ** 9, 2 ** 22, 2 ** 10, 2 ** 31, 2 ** 22]) {
      const expected = bitmap.histogramAll(regionPages);
      const found = await Promise.all(
        [one, two, undefined].map((counts) => pool.histogram(bitmap, regionPages, counts ? { counts } : {})),
      );
      expect(found.map(({ counts }) => counts)).toEqual([expected, expected, expected]);
      expect(found[1]?.counts.buffer).toBe(two);
    }
  });

  test.each([false, true])('harvest, atomic: %s', async (atomic) => {
    const bitmap = new DirtyBitmap(core, storage.address, PAGES - 5);
    const into = new DirtyBitmap(core, other.address, PAGES - 5);
    const prepare = (): void => {
      fill(bitmap, { pageCount: bitmap.pageCount, density: 0.1, runPages: 3, seed: 1 });
      fill(into, { pageCount: bitmap.pageCount, density: 0.4, runPages: 20, seed: 2 });
    };
    prepare();
    const range = [1000, PAGES - 9999] as const;
    const fresh = bitmap.harvest(into, ...range);
    const expected = [Buffer.from(bitmap.bytes), Buffer.from(into.bytes)];
    expect(fresh).toBeGreaterThan(0);
    prepare();
    expect(await pool.harvest(bitmap, into, { atomic, startFrame: range[0], endFrame: range[1] })).toBe(fresh);
    expect(Buffer.compare(Buffer.from(bitmap.bytes), expected[0] ?? Buffer.of())).toBe(0);
    expect(Buffer.compare(Buffer.from(into.bytes), expected[1] ?? Buffer.of())).toBe(0);
  });
});

describe('batches', () => {
  const core = sharedCore();
  const dense = filled(core, { pageCount: PAGES, density: 1, runPages: 1, seed: 0, baseFrame: 7 });
  const mixed = filled(core, { pageCount: PAGES, density: 0.5, runPages: 40, seed: 3, baseFrame: 7 });

  test('are bounded, in order, and say where one could go on', async () => {
    const pool = await open();
    let frame = dense.baseFrame;
    for await (const { pages, baseFrame, nextFrame } of pool.extract(dense)) {
      expect(pages.length).toBeGreaterThan(0);
      expect(pages.length).toBeLessThanOrEqual(65_536);
      expect(baseFrame + (pages[0] ?? 0)).toBe(frame);
      frame = nextFrame;
    }
    expect(frame).toBe(dense.endFrame);
    let expected = 0;
    for await (const { pairs, runCount, nextFrame } of pool.runs(mixed)) {
      expect(pairs.length).toBe(2 * runCount);
      expect(runCount).toBeLessThanOrEqual(32_768);
      const [start = 0, length = 0] = pairs.subarray(-2);
      expect(start).toBeGreaterThanOrEqual(expected);
      expect(nextFrame - mixed.baseFrame).toBeGreaterThanOrEqual(start + length);
      expected = start + length;
    }
  });

  test('asked for several at once, come in order, and after the end there are none', async () => {
    const pool = await open();
    const batches = pool.extract(dense);
    const asked = Array.from({ length: 300 }, () => batches.next());
    const answers = await Promise.all(asked);
    const nextFrames = answers.flatMap(({ value }) => (value ? [value.nextFrame] : []));
    expect(nextFrames.length).toBeGreaterThan(PAGES / 65_536 - 1);
    expect(nextFrames).toEqual([...nextFrames].sort((one, two) => one - two));
    expect(nextFrames.at(-1)).toBe(dense.endFrame);
    expect(answers.slice(nextFrames.length).every(({ done }) => done === true)).toBe(true);
    expect(await batches.return()).toEqual({ done: true, value: undefined });
  });

  test('return ends a stream, before its first batch too, and a stream that waits', async () => {
    const pool = await open();
    const unused = pool.extract(dense);
    expect(await unused.return()).toEqual({ done: true, value: undefined });
    expect(await unused.next()).toEqual({ done: true, value: undefined });
    const batches = pool.runs(mixed);
    const [first, ended, after] = await Promise.all([batches.next(), batches.return(), batches.next()]);
    expect(first.done).toBe(false);
    expect([ended.done, after.done]).toEqual([true, true]);
    {
      await using disposed = pool.runs(mixed);
      await disposed.next();
    }
  });

  test('a run over everything is one run', async () => {
    const pool = await open();
    const found: number[] = [];
    for await (const { pairs } of pool.runs(dense)) found.push(...pairs);
    expect(found).toEqual([0, PAGES]);
  });

  test('who does not ask stops the scan: threads are ahead by their slots and no further', async () => {
    const pool = await open({ threads: 2 });
    let last: ScanProgress | undefined;
    const batches = pool.extract(dense, { onProgress: (progress) => (last = progress) });
    await batches.next();
    // Longer than the interval of reports, so that the next batch brings one.
    await new Promise((resolve) => setTimeout(resolve, 120));
    await batches.next();
    expect(last?.totalPages).toBe(PAGES);
    const slots = 2 * 3 + 2;
    expect(last?.scannedPages).toBeGreaterThanOrEqual(65_536);
    expect(last?.scannedPages).toBeLessThanOrEqual((slots + 1) * 65_536);
    await batches.return();
  });

  test('other scans of the same and of another memory go on while a reader pauses', async () => {
    const pool = await open({ threads: 1, ownThread: false });
    const elsewhere = filled(sharedCore(), { pageCount: PAGES, density: 0.2, runPages: 2, seed: 9 });
    const [one, two] = [pool.extract(dense), pool.extract(elsewhere)];
    let [read, rounds] = [0, 0];
    for (let done = false; !done; rounds++) {
      const [first, second] = [await one.next(), await two.next()];
      read += (first.value?.pages.length ?? 0) + (second.value?.pages.length ?? 0);
      done = first.done === true && second.done === true;
      if (rounds % 40 === 0) {
        expect(await pool.count(dense)).toBe(PAGES);
        expect(await pool.count(elsewhere)).toBe(elsewhere.count());
      }
    }
    expect(read).toBe(PAGES + elsewhere.count());
  });

  test('leaving the loop ends the scan and frees its workspaces', async () => {
    const pool = await open();
    const before = core.allocate(64);
    for (let round = 0; round < 20; round++) {
      for await (const { pages } of pool.extract(dense)) {
        expect(pages[0]).toBe(0);
        break;
      }
    }
    const used = core.allocate(64) - before;
    expect(used).toBeLessThanOrEqual((2 * 3 + 2) * BITMAP_WORKSPACE_BYTES + 64);
  });

  test('one worker and this thread need less than 2 MiB beside the bitmaps', async () => {
    const pool = await open({ threads: 1 });
    const own = sharedCore();
    const bitmap = filled(own, { pageCount: PAGES, density: 0.5, runPages: 1, seed: 4 });
    const into = DirtyBitmap.allocate(own, PAGES);
    const before = own.allocate(64);
    await hashOf(pool.extract(bitmap), ({ pages }) => pages);
    await hashOf(pool.runs(bitmap), ({ pairs }) => pairs);
    await pool.histogram(bitmap, 512);
    await pool.harvest(bitmap, into);
    expect(own.allocate(64) - before).toBeLessThan(2 * 2 ** 20);
  });
});

describe('progress', () => {
  const core = sharedCore();
  const bitmap = filled(core, { pageCount: PAGES, density: 0.5, runPages: 1, seed: 3 });

  test.each([true, false])('ends with all pages, own thread: %s', async (ownThread) => {
    const pool = await open({ ownThread });
    const seen: ScanProgress[] = [];
    const onProgress = (progress: ScanProgress): void => void seen.push(progress);
    await pool.count(bitmap, { onProgress, startFrame: 10 });
    expect(seen.at(-1)).toEqual({ scannedPages: PAGES - 10, totalPages: PAGES - 10 });
    await hashOf(pool.runs(bitmap, { onProgress }), ({ pairs }) => pairs);
    expect(seen.at(-1)).toEqual({ scannedPages: PAGES, totalPages: PAGES });
  });

  test('an error in the listener ends the scan with that error', async () => {
    const pool = await open();
    const reason = new RangeError('enough seen');
    const onProgress = (): never => {
      throw reason;
    };
    await expect(pool.count(bitmap, { onProgress })).rejects.toBe(reason);
    await expect(hashOf(pool.extract(bitmap, { onProgress }), ({ pages }) => pages)).rejects.toBe(reason);
    expect(await pool.count(bitmap)).toBe(bitmap.count());
  });
});

describe('an abort', () => {
  const core = sharedCore();
  const bitmap = filled(core, { pageCount: 16 * PAGES, density: 0.5, runPages: 1, seed: 3 });
  const reason = new Error('no longer wanted');

  test('before the start', async () => {
    const pool = await open();
    await expect(pool.count(bitmap, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(pool.extract(bitmap, { signal: AbortSignal.abort(reason) }).next()).rejects.toBe(reason);
    await expect(ScanPool.open({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test.each([true, false])('of a harvest loses no page, own thread: %s', async (ownThread) => {
    const pool = await open({ ownThread });
    const source = DirtyBitmap.fromBytes(sharedCore(), bitmap.bytes);
    const into = DirtyBitmap.allocate(source.core, bitmap.pageCount);
    const dirty = source.count();
    const controller = new AbortController();
    const harvest = pool.harvest(source, into, { signal: controller.signal });
    controller.abort(reason);
    await expect(harvest).rejects.toBe(reason);
    // The promise has settled: no thread may move a page any more.
    const left = source.count();
    const moved = into.count();
    expect(left + moved).toBe(dirty);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(source.count()).toBe(left);
  });

  test.each([true, false])('in the middle of a stream, own thread: %s', async (ownThread) => {
    const pool = await open({ ownThread });
    const controller = new AbortController();
    const batches = pool.extract(bitmap, { signal: controller.signal });
    await batches.next();
    controller.abort(reason);
    await expect(batches.next()).rejects.toBe(reason);
    expect(await batches.next()).toEqual({ value: undefined, done: true });
    expect(await pool.count(bitmap)).toBe(bitmap.count());
  });

  test('of the signal that the pool was opened with closes it', async () => {
    const controller = new AbortController();
    const pool = await open({ signal: controller.signal });
    const pending = pool.count(bitmap);
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    await expect(pool.count(bitmap)).rejects.toBe(reason);
  });
});

describe('close', () => {
  const core = sharedCore();
  const bitmap = filled(core, { pageCount: 4 * PAGES, density: 0.5, runPages: 1, seed: 3 });

  test('while busy rejects all that is pending, ends the threads, and may be called again', async () => {
    const threads = watchThreads();
    const portsBefore = messagePorts();
    const pool = await open({ threads: 3 });
    expect(threads.alive()).toHaveLength(3);
    const batches = pool.extract(bitmap);
    await batches.next();
    const counted = pool.count(bitmap);
    const histogram = pool.histogram(bitmap, 512);
    const closing = pool.close();
    const closed = { name: 'CoreError', code: 'CORE_POOL_CLOSED' };
    const pending = [counted, histogram, batches.next()];
    await Promise.all(pending.map((scan) => expect(scan).rejects.toMatchObject(closed)));
    await closing;
    await pool.close();
    expect(threads.alive()).toEqual([]);
    // A port goes an event after its thread.
    await vi.waitFor(() => expect(messagePorts()).toBeLessThanOrEqual(portsBefore));
    await expect(pool.count(bitmap)).rejects.toMatchObject(closed);
    await expect(pool.runs(bitmap).next()).rejects.toMatchObject(closed);
    threads.stop();
  });

  test('is what await using does', async () => {
    const threads = watchThreads();
    {
      await using pool = await ScanPool.open({ threads: 2, offloadBytes: 0 });
      expect(await pool.count(bitmap)).toBe(bitmap.count());
    }
    expect(threads.alive()).toEqual([]);
    threads.stop();
  });

  function messagePorts(): number {
    return getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker').length;
  }
});

describe('what cannot be scanned', () => {
  const bitmap = filled(sharedCore(), { pageCount: 1000, density: 0.5, runPages: 1, seed: 3, baseFrame: 50 });

  test('is refused with the class and code of any other wrong argument', async () => {
    const pool = await open();
    const unshared = DirtyBitmap.allocate(new BitmapCore(), 1000);
    await expect(pool.count(unshared)).rejects.toThrow(CoreTypeError);
    await expect(pool.count({} as DirtyBitmap)).rejects.toThrow(CoreTypeError);
    expect(() => pool.extract(unshared)).toThrow(/shared: true/);
    await expect(pool.count(bitmap, { startFrame: 0 })).rejects.toThrow(CoreRangeError);
    await expect(pool.count(bitmap, { endFrame: 1051 })).rejects.toMatchObject({ code: 'CORE_ARGUMENT_RANGE' });
    expect(() => pool.runs(bitmap, { startFrame: 60, endFrame: 55 })).toThrow(CoreRangeError);
    await expect(pool.histogram(bitmap, 3)).rejects.toThrow(CoreRangeError);
    const counts = new SharedArrayBuffer(7);
    await expect(pool.histogram(bitmap, 512, { counts })).rejects.toThrow('counts has 7 bytes; 2 regions take 8');
    const unsharedCounts = new ArrayBuffer(8) as unknown as SharedArrayBuffer;
    await expect(pool.histogram(bitmap, 512, { counts: unsharedCounts })).rejects.toThrow(CoreTypeError);
    const shorter = DirtyBitmap.allocate(bitmap.core, 999, { baseFrame: 50 });
    await expect(pool.harvest(bitmap, shorter)).rejects.toThrow(CoreTypeError);
    const huge = new DirtyBitmap(sharedCore(2 ** 27), 0, 1000);
    Object.defineProperty(huge, 'pageCount', { value: 2 ** 25 });
    Object.defineProperty(huge, 'endFrame', { value: 2 ** 25 });
    await expect(pool.histogram(huge, 1)).rejects.toThrow(/33554432 regions; the limit is 16777216/);
  });

  test('is refused before a thread is started', async () => {
    const threads = watchThreads();
    await expect(ScanPool.open({ threads: 0 })).rejects.toThrow(CoreRangeError);
    await expect(ScanPool.open({ threads: 65 })).rejects.toThrow(CoreRangeError);
    await expect(ScanPool.open({ offloadBytes: -1 })).rejects.toThrow(CoreRangeError);
    expect(threads.started()).toBe(0);
    threads.stop();
  });

  test('a core without room for a workspace says so', async () => {
    const pool = await open();
    const tight = sharedCore(BITMAP_WORKSPACE_BYTES + 65_536);
    const bitmap = DirtyBitmap.allocate(tight, 1000);
    await expect(pool.count(bitmap)).rejects.toMatchObject({ code: 'CORE_MEMORY_LIMIT' });
  });
});
