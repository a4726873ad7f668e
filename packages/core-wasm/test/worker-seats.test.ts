import { expect, test } from 'vitest';
import { Seats, type Seat } from '../src/worker-seats.js';

test('control words are used again, clean, and workers are told of new ones only', () => {
  const introduced: Seat[] = [];
  const seats = new Seats(3, 8, (seat) => introduced.push(seat));
  const first = introduced.length;
  expect(seats.all).toEqual(introduced);
  const taken = Array.from({ length: first }, () => seats.take());
  expect(new Set(taken.map(({ index }) => index)).size).toBe(first);
  const [one] = taken;
  if (!one) throw new Error('there is one at least');
  one.control.claim(7);
  one.control.cancel();
  one.control.setWorkspaces([64, 128]);
  seats.giveBack(one);
  const again = seats.take();
  expect(again).toBe(one);
  expect([again.control.claimed, again.control.cancelled, again.control.workspaceAt(1)]).toEqual([0, false, 0]);
  expect(introduced).toHaveLength(first);
  const more = seats.take();
  expect(introduced.at(-1)).toBe(more);
  expect(more.index).toBe(first);
});

test('words that a dead thread may have touched are replaced in their place', () => {
  const introduced: Seat[] = [];
  const seats = new Seats(2, 5, (seat) => introduced.push(seat));
  const one = seats.take();
  seats.discard(one);
  const next = seats.take();
  expect(next.index).toBe(one.index);
  expect(next.control.buffer).not.toBe(one.control.buffer);
  expect(introduced.at(-1)).toBe(next);
  expect(seats.all).toContain(next);
  expect(seats.all).not.toContain(one);
});
