import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { BitmapCore, DirtyBitmap } from '../src/index.js';
import { packageRoot } from './dist.js';

// Small, so that both threads are at the same words most of the time.
const PAGES = 65_536;
const TARGET = 1_100_000;

interface Outcome {
  /** How often the producer found a bit clear and set it. */
  readonly set: number;
  /** How many bits the harvests have brought, all together. */
  readonly taken: number;
  readonly harvests: number;
}

/** One producer in a thread of its own; this thread harvests until it is done, and once more. */
async function race(method: 'harvest' | 'harvestAtomic', simd: boolean): Promise<Outcome> {
  const core = new BitmapCore({ shared: true, simd });
  const log = DirtyBitmap.allocate(core, PAGES);
  const flags = new Int32Array(core.memory.buffer, core.allocate(8), 2);
  expect(flags.byteOffset).toBe(log.address + log.sizeBytes);
  const taken = DirtyBitmap.allocate(core, PAGES);
  const workerData = { memory: core.memory, address: log.address, words: PAGES / 32, target: TARGET };
  const worker = new Worker(`${packageRoot}test/fixtures/bitmap-producer.mjs`, { workerData });
  try {
    await once(worker, 'message');
    worker.postMessage('go');
    let total = 0;
    let harvests = 0;
    for (let done = false; !done; harvests++) {
      done = Atomics.load(flags, 0) === 1;
      total += log[method](taken);
      taken.clear();
    }
    expect(log.any()).toBe(false);
    return { set: Atomics.load(flags, 1), taken: total, harvests };
  } finally {
    await worker.terminate();
  }
}

describe('a bitmap that another thread goes on writing', () => {
  test.each([true, false])('harvestAtomic loses no bit of a million (simd %s)', async (simd) => {
    const { set, taken, harvests } = await race('harvestAtomic', simd);
    expect(set).toBe(TARGET);
    expect(harvests).toBeGreaterThan(10);
    expect(set - taken).toBe(0);
  });

  test('and this test would see a lost one: harvest loses some', async () => {
    let lost = 0;
    for (let attempt = 0; attempt < 10 && lost === 0; attempt++) {
      const { set, taken } = await race('harvest', true);
      lost += set - taken;
    }
    expect(lost).toBeGreaterThan(0);
  });
});
