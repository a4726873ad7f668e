import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingQueue, SlotTable, type Pending } from '../../src/qmp/pending.js';

const pending = (command: string): Pending =>
  ({ command, previous: undefined, next: undefined }) as unknown as Pending;

test('the queue behaves as a list from which anyone can leave', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('push' as const), fc.nat({ max: 50 }))), (steps) => {
      const queue = new PendingQueue();
      const model: Pending[] = [];
      for (const step of steps) {
        if (step === 'push') {
          const next = pending('x');
          queue.push(next);
          model.push(next);
        } else if (model.length > 0) {
          const [left] = model.splice(step % model.length, 1) as [Pending];
          queue.remove(left);
        }
        expect(queue.size).toBe(model.length);
        expect(queue.first).toBe(model[0]);
        expect([...queue]).toEqual(model);
      }
    }),
  );
});

test('one that leaves while the queue is walked does not stop the walk', () => {
  const queue = new PendingQueue();
  for (const command of ['a', 'b', 'c']) queue.push(pending(command));
  const seen: string[] = [];
  for (const each of queue) {
    seen.push(each.command);
    queue.remove(each);
  }
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(queue.size).toBe(0);
});

test('an id is given once until it is released, and the last released first', () => {
  const slots = new SlotTable(8, 3);
  const ids = ['a', 'b', 'c'].map((command) => slots.take(pending(command)));
  expect(ids).toEqual([8, 9, 10]);
  expect([slots.hasFree, slots.used]).toEqual([false, 3]);
  expect(slots.release(9)?.command).toBe('b');
  expect(slots.release(9)).toBeUndefined();
  for (const id of [0, 7, 11, -1, 8.5, NaN, Infinity]) expect(slots.release(id)).toBeUndefined();
  expect(slots.take(pending('d'))).toBe(9);
  expect([...slots].map(({ command }) => command)).toEqual(['a', 'd', 'c']);
});
