import { expect, test } from 'vitest';
import { Latest } from '../../src/helpers/latest.js';

async function readAll<T>(latest: Latest<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const value of latest.read()) seen.push(value);
  return seen;
}

test('a reader gets the newest value it has not seen, and the last one', async () => {
  const latest = new Latest<number>();
  const early = readAll(latest);
  latest.publish(1);
  latest.publish(2);
  await new Promise((resolve) => setImmediate(resolve));
  latest.publish(3);
  latest.end();
  latest.publish(4);
  expect(await early).toEqual([2, 3]);
  expect(await readAll(latest)).toEqual([3]);
});

test('without a value it just ends', async () => {
  const latest = new Latest<number>();
  latest.end();
  expect(await readAll(latest)).toEqual([]);
});
