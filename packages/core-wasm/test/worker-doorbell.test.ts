import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { canWaitAsync, Doorbell, spin } from '../src/worker-doorbell.js';

afterEach(() => vi.unstubAllGlobals());

/** As engines without Atomics.waitAsync are. */
function withoutWaitAsync(): void {
  const { add, exchange, load, notify, store } = Atomics;
  vi.stubGlobal('Atomics', { add, exchange, load, notify, store });
}

test('both sides see one bell, and a ring that was not heard is seen', () => {
  const here = new Doorbell();
  const there = new Doorbell(here.buffer);
  const seen = there.rung;
  expect(here.ring()).toBe(false);
  expect(there.rung).toBe(seen + 1);
  expect(there.listen(seen, () => expect.unreachable('it has been told by the answer'))).toBe('rung');
});

test('who listens is told once', async () => {
  expect(canWaitAsync()).toBe(true);
  const bell = new Doorbell();
  let told = 0;
  const heard = new Promise<void>((resolve) => {
    expect(bell.listen(bell.rung, () => resolve(void told++))).toBe('call');
  });
  expect(told).toBe(0);
  expect([bell.ring(), bell.ring()]).toEqual([false, false]);
  await heard;
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toBe(1);
});

test('who waits blocked wakes up when it rings, or when it has rung', async () => {
  const bell = new Doorbell();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage('here');
    parentPort.postMessage(Atomics.wait(new Int32Array(workerData), 0, 0, 30_000));`;
  const thread = new Worker(code, { eval: true, workerData: bell.buffer });
  await once(thread, 'message');
  const heard = once(thread, 'message') as Promise<string[]>;
  // Only who said that it waits for the word is told.
  expect(bell.waitBlocked(bell.rung, 0)).toBe(false);
  bell.ring();
  expect(['ok', 'not-equal']).toContain((await heard)[0]);
  expect(bell.waitBlocked(0, 60_000)).toBe(true);
  await thread.terminate();
});

test('where the engine cannot wait so, one message is asked for', () => {
  withoutWaitAsync();
  expect(canWaitAsync()).toBe(false);
  const bell = new Doorbell();
  const never = (): void => expect.unreachable('a message tells');
  expect(bell.ring()).toBe(false);
  expect(bell.listen(0, never)).toBe('rung');
  expect(bell.listen(1, never)).toBe('message');
  expect([bell.ring(), bell.ring()]).toEqual([true, false]);
});

test('spinning ends by itself, or at once', () => {
  expect(spin(1, () => false)).toBe(false);
  let looks = 0;
  expect(spin(60_000, () => ++looks === 3)).toBe(true);
});
