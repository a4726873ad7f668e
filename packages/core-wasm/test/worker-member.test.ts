import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CoreError, CoreRangeError, type DirtyBitmap } from '../src/index.js';
import { ScanPool, type ScanPoolOptions } from '../src/worker.js';
import { filled, framesOf, hashOf, sharedCore, watchThreads } from './worker-support.js';

// The real code of the worker, and before it a door for the tests: what is ordered happens in the middle of the
// worker's next scan, when it has taken the call.
const Order = { none: 0, exit: 1, throw: 2, trap: 3, pause: 4 } as const;
const door = `
  const { parentPort } = require('node:worker_threads');
  const { compareExchange, exchange, load, store } = Atomics;
  let orders = new Int32Array(3);
  parentPort.on('message', (message) => {
    if (message === 'fail now') throw new RangeError('failed when idle');
    if (!(message instanceof Int32Array)) return;
    orders = message;
    parentPort.postMessage('listening');
  });
  // (module (func (export "f") unreachable))
  const trap = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0,
    7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
  let called = false;
  Atomics.compareExchange = (words, index, from, to) => {
    const found = compareExchange(words, index, from, to);
    called ||= found === from;
    return found;
  };
  Atomics.load = (...words) => {
    const value = load(...words);
    const order = called ? exchange(orders, 0, 0) : 0;
    called = false;
    if (order === ${Order.exit}) process.exit(3);
    if (order === ${Order.throw}) throw new RangeError('thrown in a scan');
    if (order === ${Order.trap}) new WebAssembly.Instance(new WebAssembly.Module(trap)).exports.f();
    if (order === ${Order.pause}) {
      store(orders, 1, 1);
      Atomics.wait(orders, 2, 0);
    }
    return value;
  };
`;
async function order(worker: Worker | undefined, what: number): Promise<Int32Array> {
  const orders = new Int32Array(new SharedArrayBuffer(12));
  const listening = new Promise((resolve) => worker?.once('message', resolve));
  worker?.postMessage(orders);
  await listening;
  Atomics.store(orders, 0, what);
  return orders;
}

const code = vi.hoisted(() => ({ before: '', instead: undefined as string | undefined }));
vi.mock('../src/worker-code.generated.js', async (importOriginal) => {
  const { workerCode } = await importOriginal<{ workerCode: string }>();
  return {
    get workerCode() {
      return code.instead ?? code.before + workerCode;
    },
  };
});

const core = sharedCore();
const bitmap = filled(core, { pageCount: 2 ** 26, density: 0.5, runPages: 1, seed: 3 });
const died = { name: 'CoreError', code: 'CORE_WORKER_DIED' };

let threads: ReturnType<typeof watchThreads>;
const pools: ScanPool[] = [];
async function open(options: ScanPoolOptions = {}): Promise<ScanPool> {
  const pool = await ScanPool.open({ threads: 2, ownThread: false, offloadBytes: 0, ...options });
  pools.push(pool);
  // The bitmap's memory is introduced by a message; a call that comes before it is put back, and no scan has begun.
  await pool.count(bitmap);
  return pool;
}

beforeEach(() => {
  code.before = door;
  code.instead = undefined;
  threads = watchThreads();
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  expect(threads.alive()).toEqual([]);
  threads.stop();
});

/** All that is pending is rejected, and the pool goes on with as many threads as before. */
async function expectDeath(pool: ScanPool, pending: Promise<unknown>[], what: RegExp): Promise<void> {
  for (const outcome of await Promise.allSettled(pending)) {
    expect(outcome.status).toBe('rejected');
    const reason: unknown = outcome.status === 'rejected' && outcome.reason;
    expect(reason).toBeInstanceOf(CoreError);
    expect(reason).toMatchObject({ ...died, message: expect.stringMatching(what) as string });
  }
  expect(await pool.count(bitmap)).toBe(bitmap.count());
  expect(await hashOf(pool.extract(bitmap), ({ pages }) => pages)).toBe(framesOf(bitmap));
  expect(threads.alive()).toHaveLength(pool.threads);
}

/** Resolves when it is gone; `error` is not what it waits for. */
function gone(worker: Worker | undefined): Promise<unknown> {
  return new Promise((resolve) => worker?.once('exit', resolve));
}

test.each([1, 2])('process.exit in the middle of a scan, %s workers', async (count) => {
  const pool = await open({ threads: count });
  const victims = threads.alive();
  for (const victim of victims) await order(victim, Order.exit);
  const pending = [pool.count(bitmap), pool.histogram(bitmap, 512)];
  const goneAll = Promise.all(victims.map(gone)).then(() => true);
  await Promise.allSettled(pending);
  // The death of one takes back the call of another that had not begun: the next scan reaches it.
  const turn = (): Promise<false> => new Promise((resolve) => setImmediate(() => resolve(false)));
  while (!(await Promise.race([goneAll, turn()]))) await pool.count(bitmap).catch(() => undefined);
  await expectDeath(pool, pending, /exited with code 3/);
  expect(threads.started()).toBe(2 * pool.threads);
});

describe.each([
  ['the worker alone', { threads: 1, ownThread: false }],
  ['two and this thread', { threads: 2, ownThread: true }],
])('a worker that dies: %s', (_, options) => {
  test('ended from outside', async () => {
    const pool = await open(options);
    const batches = pool.extract(bitmap);
    await batches.next();
    const [victim] = threads.alive();
    const rest = hashOf(batches, ({ pages }) => pages);
    void victim?.terminate();
    await expectDeath(pool, [rest], /exited with code 1/);
  });

  test('an error that nobody catches, while nothing is pending', async () => {
    const pool = await open(options);
    const [victim] = threads.alive();
    victim?.postMessage('fail now');
    await gone(victim);
    await expectDeath(pool, [], /./);
    expect(threads.started()).toBe(pool.threads + 1);
  });

  test('an error that nobody catches, while a reader pauses', async () => {
    const pool = await open(options);
    const batches = pool.extract(bitmap);
    await batches.next();
    const [victim] = threads.alive();
    victim?.postMessage('fail now');
    await gone(victim);
    const rest = hashOf(batches, ({ pages }) => pages);
    await expectDeath(pool, [rest], /failed when idle|takes its place/);
  });
});

test('where the engine has no Atomics.waitAsync a message calls', async () => {
  code.before = 'delete Atomics.waitAsync;';
  const pool = await open({ threads: 2, ownThread: false });
  for (let round = 0; round < 3; round++) {
    expect(await pool.count(bitmap)).toBe(bitmap.count());
    expect((await pool.histogram(bitmap, 512)).counts).toEqual(bitmap.histogramAll(512));
    // Long enough for the workers to listen again.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await hashOf(pool.extract(bitmap), ({ pages }) => pages)).toBe(framesOf(bitmap));
});

test('the error of a dead worker carries what killed it', async () => {
  const pool = await open({ threads: 1 });
  const [victim] = threads.alive();
  const batches = pool.extract(bitmap);
  await batches.next();
  victim?.postMessage('fail now');
  await gone(victim);
  const error: unknown = await hashOf(batches, ({ pages }) => pages).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ ...died, cause: { message: 'failed when idle' } });
});

test('a worker that cannot start rejects open, and leaves no thread', async () => {
  code.instead = 'throw new SyntaxError("cannot be read")';
  await expect(open()).rejects.toMatchObject({
    ...died,
    message: expect.stringMatching(/could not be started/) as string,
  });
  expect(threads.alive()).toEqual([]);
});

test('a replacement that cannot start is tried again by the next operation, not for ever', async () => {
  const pool = await open({ threads: 1 });
  code.instead = 'process.exit(9)';
  await order(threads.alive()[0], Order.exit);
  await expect(pool.count(bitmap)).rejects.toMatchObject(died);
  await expect(pool.count(bitmap)).rejects.toMatchObject(died);
  const started = threads.started();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(threads.started()).toBe(started);
  code.instead = undefined;
  // The one that is just dying may have been started with the bad text.
  await pool.count(bitmap).catch(() => undefined);
  expect(await pool.count(bitmap)).toBe(bitmap.count());
});

test.each(['abort', 'close'])('%s settles what is pending when the last thread has let go', async (how) => {
  const pool = await open({ threads: 1 });
  const orders = await order(threads.alive()[0], Order.pause);
  const controller = new AbortController();
  let settled = false;
  const scan = pool.count(bitmap, { signal: controller.signal });
  const outcome = scan.then(String, (reason: unknown) => String(reason)).finally(() => (settled = true));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  while (Atomics.load(orders, 1) === 0) await turn();
  const closing = how === 'close' ? pool.close() : controller.abort(new Error('enough'));
  for (let turns = 0; turns < 100; turns++) await turn();
  expect(settled).toBe(false);
  Atomics.store(orders, 2, 1);
  Atomics.notify(orders, 2);
  expect(await outcome).toMatch(how === 'close' ? /the pool has been closed/ : /enough/);
  await closing;
});

test('a thread that does not let go is ended by close', async () => {
  const pool = await open({ threads: 1 });
  const orders = await order(threads.alive()[0], Order.pause);
  const scan = pool.count(bitmap).catch((reason: unknown) => reason);
  while (Atomics.load(orders, 1) === 0) await new Promise((resolve) => setImmediate(resolve));
  await pool.close();
  expect(await scan).toMatchObject({ code: 'CORE_POOL_CLOSED' });
  expect(threads.alive()).toEqual([]);
});

describe('an error in a worker is the same error here', () => {
  test.each([
    ['throw' as const, RangeError, 'thrown in a scan'],
    ['trap' as const, WebAssembly.RuntimeError, 'unreachable'],
  ])('%s', async (what, errorClass, message) => {
    const pool = await open({ threads: 1 });
    await order(threads.alive()[0], Order[what]);
    const error: unknown = await pool.count(bitmap).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ message });
    // It lives: nothing is replaced.
    expect(await pool.count(bitmap)).toBe(bitmap.count());
    expect(threads.started()).toBe(1);
  });

  test('ours, with class and code', async () => {
    const pool = await open({ threads: 1 });
    // The pool trusts a DirtyBitmap; the worker, which makes its own, finds this one out.
    const forged = Object.create(bitmap, { address: { value: 2 ** 31 } }) as DirtyBitmap;
    for (const scan of [() => pool.count(forged), () => hashOf(pool.extract(forged), ({ pages }) => pages)]) {
      const error: unknown = await scan().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CoreRangeError);
      expect(error).toBeInstanceOf(RangeError);
      expect(error).toMatchObject({ name: 'CoreRangeError', code: 'CORE_ARGUMENT_RANGE' });
      expect((error as Error).message).toMatch(/would end at byte/);
    }
  });
});
