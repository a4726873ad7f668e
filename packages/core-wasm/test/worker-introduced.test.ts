import { expect, test } from 'vitest';
import { Introduced } from '../src/worker-introduced.js';

test('a worker is told once, and again after it was to forget', () => {
  const introduced = new Introduced();
  expect([introduced.join(1), introduced.join(1), introduced.join(2)]).toEqual([true, false, true]);
  // A second scan uses it still.
  expect(introduced.leave(1, 0)).toEqual([]);
  expect(introduced.leave(1, 0)).toEqual([1]);
  expect(introduced.join(1)).toBe(true);
});

test('the unused ones that are remembered are those used last', () => {
  const introduced = new Introduced();
  for (const id of [1, 2, 3]) {
    introduced.join(id);
    expect(introduced.leave(id, 2)).toEqual(id === 3 ? [1] : []);
  }
  expect([introduced.join(2), introduced.join(3), introduced.join(1)]).toEqual([false, false, true]);
  expect(introduced.leave(2, 1)).toEqual([2]);
});
