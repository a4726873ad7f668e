import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { BITMAP_WORKSPACE_BYTES, BitmapCore, DirtyBitmap } from '../src/index.js';
import { ScanPool } from '../src/worker.js';
import { Workspaces } from '../src/worker-workspaces.js';
import { filled, framesOf, hashOf, runsOf, sharedCore } from './worker-support.js';

test('workspaces are lent, collected and lent again', () => {
  const core = sharedCore();
  const workspaces = Workspaces.of(core);
  expect(Workspaces.of(core)).toBe(workspaces);
  expect(Workspaces.of(sharedCore()).id).not.toBe(workspaces.id);
  const one = workspaces.borrow(2);
  const two = workspaces.borrow(1);
  expect(new Set([...one, ...two]).size).toBe(3);
  workspaces.giveBack(one);
  expect(workspaces.borrow(2).sort()).toEqual([...one].sort());
  const [start = 0] = two;
  expect(workspaces.coreAt(start)).toBe(workspaces.coreAt(start));
  expect(workspaces.coreAt(start).workspaceAddress).toBe(start);
  expect(workspaces.coreAt(start).memory).toBe(core.memory);
  expect(workspaces.coreAt(start).batchAddress).toBe(start + workspaces.batchOffset);
});

// Static data of a module is written into the memory by each instantiation: that of another thread must not reach
// what is there already.
describe('threads that instantiate over one memory', () => {
  test('change nothing but their own workspaces', () => {
    const core = sharedCore();
    const bitmap = filled(core, { pageCount: 2 ** 22, density: 0.3, runPages: 2, seed: 1 });
    framesOf(bitmap);
    const workspaces = [core.allocate(BITMAP_WORKSPACE_BYTES), core.allocate(BITMAP_WORKSPACE_BYTES)];
    const guard = DirtyBitmap.allocate(core, 2 ** 16);
    guard.set();
    const memory = Buffer.from(core.memory.buffer);
    const [first = 0] = workspaces;
    const [before, after] = [Buffer.from(memory.subarray(0, first)), Buffer.from(memory.subarray(guard.address))];
    const { memory: shared, build, simd } = core;
    for (const start of workspaces) {
      const own = new BitmapCore({ memory: shared, build, simd, start, end: start + BITMAP_WORKSPACE_BYTES });
      new DirtyBitmap(own, bitmap.address, bitmap.pageCount).extract();
    }
    expect(memory.subarray(0, first).equals(before)).toBe(true);
    expect(memory.subarray(guard.address).equals(after)).toBe(true);
  });

  test.each(['release', 'debug'] as const)('do not disturb scans that run, %s build', async (build) => {
    const core = new BitmapCore({ shared: true, maximumBytes: 2 ** 28, build });
    const maps = [0.001, 0.1, 0.9].map((density, seed) => {
      return filled(core, { pageCount: 2 ** 21 + 9, density, runPages: 3, seed });
    });
    const expected = maps.map((map) => ({ count: map.count(), frames: framesOf(map), runs: runsOf(map) }));
    const bytes = maps.map((map) => Buffer.from(map.bytes));
    // Each pool has workers of its own, and each opens while the ones before are scanning.
    for (let round = 0; round < 3; round++) {
      const pools = [1, 2].map((threads) => ScanPool.open({ threads, offloadBytes: 0 }));
      const results = pools.map(async (opening) => {
        await using pool = await opening;
        return await Promise.all(
          maps.map(async (map) => ({
            count: await pool.count(map),
            frames: await hashOf(pool.extract(map), ({ pages }) => pages),
            runs: await hashOf(pool.runs(map), ({ pairs }) => pairs),
          })),
        );
      });
      for (const result of await Promise.all(results)) expect(result).toEqual(expected);
      for (const [index, map] of maps.entries())
        expect(Buffer.from(map.bytes).equals(bytes[index] ?? Buffer.of())).toBe(true);
    }
  });

  test('a thread sees what the memory has grown by since it began', async () => {
    await using pool = await ScanPool.open({ threads: 1, ownThread: false, offloadBytes: 0 });
    const core = sharedCore();
    for (let round = 0; round < 4; round++) {
      const map = filled(core, { pageCount: 2 ** 25 + round, density: 0.1, runPages: 8, seed: round });
      expect(await pool.count(map)).toBe(map.count());
      expect(await hashOf(pool.extract(map), ({ pages }) => pages)).toBe(framesOf(map));
    }
  });

  test('a worker forgets the memories it has not seen for long, and scans them all the same', async () => {
    await using pool = await ScanPool.open({ threads: 1, ownThread: false, offloadBytes: 0 });
    const maps = [1, 2, 3, 4, 5, 6].map((seed) => {
      return filled(sharedCore(2 ** 24), { pageCount: 300_000, density: 0.1, runPages: 8, seed });
    });
    for (const map of [...maps, ...maps]) {
      expect(await hashOf(pool.runs(map), ({ pairs }) => pairs)).toBe(runsOf(map));
    }
  });

  test('an atomic harvest by workers loses nothing that another thread sets meanwhile', async () => {
    const core = sharedCore();
    const pageCount = 2 ** 22;
    const [map, into] = [DirtyBitmap.allocate(core, pageCount), DirtyBitmap.allocate(core, pageCount)];
    const rounds = 400_000;
    const producer = new Worker(
      `const { workerData: { buffer, address, pageCount, rounds } } = require('node:worker_threads');
       const words = new Int32Array(buffer, address, pageCount / 32);
       for (let round = 0, page = 1; round < rounds; round++) {
         page = (Math.imul(page, 5) + 12345) & (pageCount - 1);
         Atomics.or(words, page >>> 5, 1 << (page & 31));
       }`,
      { eval: true, workerData: { buffer: core.memory.buffer, address: map.address, pageCount, rounds } },
    );
    let over = false;
    producer.once('exit', () => (over = true));
    await using pool = await ScanPool.open({ threads: 1, offloadBytes: 0 });
    let fresh = 0;
    while (!over) fresh += await pool.harvest(map, into, { atomic: true });
    fresh += await pool.harvest(map, into, { atomic: true });
    // The generator has full period: no page comes twice.
    expect(fresh).toBe(rounds);
    expect(into.count()).toBe(rounds);
    expect(map.any()).toBe(false);
  });
});
