import { expect, it } from 'vitest';
import { hypervisorCalls } from '../src/hypervisor.js';
import { describeActivity, describeRequest, describeWaiting, Watchdog, type WaitingNow } from '../src/watchdog.js';
import { request } from './support/guest.js';

function watch() {
  const lines: string[] = [];
  const world: { now: WaitingNow | null } = { now: null };
  const watchdog = new Watchdog(
    () => world.now,
    (line) => lines.push(line),
  );
  return { lines, watchdog, world };
}

const late = (key: string, ageMs: number): WaitingNow => ({ key, what: 'attach', ageMs, waitsFor: 'Xen: mapMemory' });

it('says once of each that it is late and for what it waits, and when it has come to an end', () => {
  const { lines, watchdog, world } = watch();
  watchdog.check();
  for (const now of [late('1', 1999), late('1', 2000), late('1', 9000), late('2', 100), late('2', 2500), null]) {
    world.now = now;
    watchdog.check();
  }
  expect(lines).toEqual([
    'attach has had no answer for 2.0 s; it waits for Xen: mapMemory',
    'attach has come to an end',
    'attach has had no answer for 2.5 s; it waits for Xen: mapMemory',
    'attach has come to an end',
  ]);
  expect(watchdog.late).toBe(2);
});

it('looks by itself until it is stopped', async () => {
  const { lines, watchdog, world } = watch();
  world.now = late('1', 3000);
  watchdog.start();
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  watchdog.stop();
  expect(watchdog.late).toBe(1);
});

const register = (offset: number) => (BigInt((1 << 8) | (5 << 3) | 2) << 32n) | BigInt(offset);

it.each([
  ['a read of 4 bytes at register 0x10 of 01:05.2', { type: 2, address: register(0x10), size: 4, read: true }],
  ['a write of 8 bytes at address 0xf00000000000', { type: 1, address: 0xf000_0000_0000n, size: 8 }],
  ['a write of 1 bytes, 7 times, at port 0xae08', { type: 0, address: 0xae08n, size: 1, count: 7 }],
  ['a request of type invalidate', { type: 8 }],
  ['a request of type 77', { type: 77 }],
])('says of a request what it is: %s', (text, fields) => {
  expect(describeRequest(3, request(fields))).toBe(`${text} by vCPU 3`);
});

it('names what it waits for, or says that it is nothing of that', () => {
  expect(hypervisorCalls.map(describeActivity)).toContain('Xen: bindMsi');
  expect([describeActivity('saveState'), describeActivity('none')]).toEqual([
    'the disk, where its state is kept',
    null,
  ]);
  expect(describeWaiting({ what: 'view', ageMs: 100, waitsFor: null })).toBe(
    'view has had no answer for 0.1 s; it waits for the device or our own code',
  );
});
