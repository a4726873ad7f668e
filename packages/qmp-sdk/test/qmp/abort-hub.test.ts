import { expect, test, vi } from 'vitest';
import { AbortHub } from '../../src/qmp/abort-hub.js';

test('many wait with one signal by one listener, which goes with the last of them', () => {
  const hub = new AbortHub();
  const controller = new AbortController();
  const { signal } = controller;
  const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
  const called: number[] = [];
  const releases = Array.from({ length: 100 }, (_, index) => hub.add(signal, () => called.push(index)));
  for (const release of releases.slice(1)) release();
  expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([1, 0]);
  releases[1]?.();
  const last = hub.add(signal, () => called.push(-1));
  controller.abort();
  expect(called).toEqual([0, -1]);
  releases[0]?.();
  last();
  expect(removed).toHaveBeenCalledTimes(1);
});
