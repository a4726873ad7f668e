import { expect, test } from 'vitest';
import { ScanControl, Waiting } from '../src/worker-control.js';

test('both sides see the same words', () => {
  const here = ScanControl.create(2, 4);
  const there = new ScanControl(2, here.buffer);
  expect(there.claim(3)).toBe(0);
  expect(here.claim(1)).toBe(3);
  expect(here.claimed).toBe(4);
  there.addScanned(0, 2 ** 31);
  there.addScanned(0, 7);
  here.addScanned(1, 2 ** 31 - 8);
  expect(here.scannedPages).toBe(2 ** 32 - 1);
  there.addResult(2 ** 31 + 5);
  there.addResult(2 ** 31 - 6);
  expect(here.result).toBe(2 ** 32 - 1);
  there.setRest(1, 2 ** 32 - 2, 2 ** 32 - 1);
  expect(here.rest(1)).toEqual({ start: 2 ** 32 - 2, end: 2 ** 32 - 1 });
  expect(here.rest(0)).toEqual({ start: 0, end: 0 });
  there.setAtWork(0, true);
  expect(here.anyoneAtWork).toBe(true);
  there.setAtWork(0, false);
  expect(here.anyoneAtWork).toBe(false);
  expect(there.cancelled).toBe(false);
  here.cancel();
  expect(there.cancelled).toBe(true);
});

test('chunks are claimed from both ends, each once, and no more than there are', () => {
  const control = ScanControl.create(3, 1);
  const claims = [0, 0, 1, 2, 1, 0, 1, 2].map((thread) => control.claimChunk(thread, 6));
  expect(claims).toEqual([0, 1, 5, 2, 4, 3, undefined, undefined]);
  expect(ScanControl.create(1, 1).claimChunk(0, 0)).toBeUndefined();
});

test('a batch is found by the page it begins at, until its slot is given back', () => {
  const control = ScanControl.create(1, 3);
  const batch = { slot: 2, start: 2 ** 32 - 65_536, end: 2 ** 32 - 1, length: 65_535 };
  expect(control.readyAt(batch.start)).toBeUndefined();
  const seen = control.events;
  control.publish(batch);
  expect(control.events).toBe(seen + 1);
  expect(control.isFree(2)).toBe(false);
  expect(control.isFree(1)).toBe(true);
  expect(control.readyAt(0)).toBeUndefined();
  expect(control.readyAt(batch.start)).toEqual(batch);
  const given = control.slotsGivenBack(0);
  control.release(2, 0);
  expect(control.slotsGivenBack(0)).toBe(given + 1);
  expect(control.isFree(2)).toBe(true);
  expect(control.readyAt(batch.start)).toBeUndefined();
});

test('nobody sleeps through what happened before', () => {
  const control = ScanControl.create(1, 1);
  const seen = control.slotsGivenBack(0);
  expect(control.waitForFreeSlot(0, seen, 1)).toBe(false);
  control.release(0, 0);
  expect(control.waitForFreeSlot(0, seen, 60_000)).toBe(true);
  const again = control.slotsGivenBack(0);
  control.cancel();
  expect(control.waitForFreeSlot(0, again, 60_000)).toBe(true);
  const events = control.events;
  control.announceEnd();
  control.waitForEvent(events, 60_000);
});

test('a consumer that waits by message is told once', () => {
  const control = ScanControl.create(1, 1);
  expect(control.wakeConsumer()).toBe(false);
  control.setWaiting(Waiting.byMessage);
  expect(control.wakeConsumer()).toBe(true);
  expect(control.wakeConsumer()).toBe(false);
  control.setWaiting(Waiting.byWord);
  expect(control.wakeConsumer()).toBe(false);
});

test('a call is taken once, or taken back', () => {
  const control = ScanControl.create(2, 2);
  expect(control.take(0)).toBe(false);
  expect(control.call(0)).toBe(true);
  expect(control.call(0)).toBe(false);
  expect(control.anyoneAtWork).toBe(true);
  expect(control.take(0)).toBe(true);
  expect(control.take(0)).toBe(false);
  expect(control.withdrawCall(0)).toBe(false);
  control.putBack(0);
  expect(control.withdrawCall(0)).toBe(true);
  expect(control.take(0)).toBe(false);
  expect(control.anyoneAtWork).toBe(false);
});

test('who cannot block is told by the same word', async () => {
  const control = ScanControl.create(1, 1);
  const seen = control.events;
  const told = control.nextEvent(seen);
  expect(control.announceEnd()).toBe(false);
  await told;
  await control.nextEvent(seen);
});
