import { afterEach, beforeEach, expect, it } from 'vitest';
import { IoreqMeter } from '../src/ioreq-meter.js';
import { type ChildTools, FakeXen } from './support/fake-xen.js';
import { GuestSlots } from './support/guest-slots.js';

const place = { domid: 3, serverId: 2, vcpuCount: 3 };

let fake: FakeXen;
let slots: GuestSlots;
beforeEach(async () => {
  fake = await FakeXen.create();
  slots = new GuestSlots(fake, place);
});
afterEach(() => {
  slots.close();
  return fake.remove();
});

/**
 * Holds each request for as long as its address says, in ms, and tells what the meter knows meanwhile. Its clock is
 * carried on between looks at ours, and may be a few microseconds beside it.
 */
function serve({ xen, ready }: ChildTools, options: { place: typeof place; count: number }) {
  const meter = new xen.IoreqMeter();
  const port = xen.IoreqPort.open({ ...options.place, wakePort: 0, meter });
  const seen: (readonly [vcpu: number, size: number, hasAge: boolean] | null)[] = [];
  ready();
  while (seen.length < options.count) {
    const vcpu = port.next(10_000);
    const end = performance.now() + port.request.getUint32(0, true);
    while (performance.now() < end);
    const open = meter.open();
    seen.push(
      open && [open.vcpu, open.request.getUint32(20, true), open.ageMs >= port.request.getUint32(0, true) - 0.1],
    );
    port.complete(vcpu, 0, 0);
    if (meter.open() !== null) throw new Error('it is still open');
  }
  const latency = meter.latency();
  port.close();
  return { seen, latency };
}

it('tells of the open request which it is and how old, and counts how long each was', async () => {
  const child = fake.start(serve, { place, count: 2 });
  await fake.childReady();
  await slots.ask(1, { addr: 20n, size: 2, flags: 0x20 });
  await slots.answer(1);
  await slots.ask(2, { addr: 5n, size: 8, flags: 0x20 });
  await slots.answer(2);
  const { seen, latency } = await child.result;
  expect(seen).toEqual([
    [1, 2, true],
    [2, 8, true],
  ]);
  const { longestNs, sumNs, buckets } = latency;
  expect(longestNs).toBeGreaterThanOrEqual(20e6);
  expect(sumNs).toBeGreaterThanOrEqual(longestNs + 5e6);
  expect(latency.count).toBe(2);
  expect(buckets.find(({ upToNs }) => longestNs <= upToNs)?.count).toBeGreaterThan(0);
  // 5 ms are in no bucket that ends before them.
  expect(buckets.filter(({ upToNs, count }) => upToNs < 5e6 && count > 0)).toEqual([]);
});

/** Once it knows the processor's counter it does not ask the system when a request comes. */
it('counts as long for requests that follow each other as for the first', async () => {
  const [count, heldMs] = [90, 15];
  const child = fake.start(serve, { place, count });
  await fake.childReady();
  for (let index = 0; index < count; index++) {
    await slots.ask(0, { addr: BigInt(heldMs), size: 4, flags: 0x20 });
    await slots.answer(0);
  }
  const { seen, latency } = await child.result;
  expect(seen).toHaveLength(count);
  expect(seen.every((open) => open?.[2])).toBe(true);
  expect(latency.count).toBe(count);
  expect(latency.sumNs).toBeGreaterThan(count * (heldMs - 0.1) * 1e6);
  // Most are no longer: the buckets end at 16.4 ms and twice that.
  const within = latency.buckets.filter(({ upToNs }) => upToNs > heldMs * 1e6 && upToNs < 4 * heldMs * 1e6);
  expect(within.reduce((sum, bucket) => sum + bucket.count, 0)).toBeGreaterThan(count / 2);
});

it('of nothing it tells nothing; the buckets double from 1 µs and end at 8.4 s', () => {
  const meter = new IoreqMeter(new SharedArrayBuffer(IoreqMeter.sizeBytes + 64), 64);
  expect(meter.open()).toBeNull();
  const { buckets, ...sums } = meter.latency();
  expect(sums).toEqual({ count: 0, sumNs: 0, longestNs: 0 });
  expect([buckets.length, buckets[0], buckets.at(-1)]).toEqual([
    24,
    { upToNs: 1000, count: 0 },
    { upToNs: 2 ** 23 * 1000, count: 0 },
  ]);
});

it.each([
  ['an array of another type', new Uint8Array(264)],
  ['one of another length', new Float64Array(32)],
  ['none at all', 7],
])('%s is no memory for it', async (_, words) => {
  const message = await fake.run(
    ({ xen, caught }, options: { place: typeof place; words: unknown }) => {
      const meter = { words: options.words } as never;
      return caught(() => xen.IoreqPort.open({ ...options.place, wakePort: 0, meter })).message;
    },
    { place, words },
  );
  expect(message).toMatch(/words of a meter/);
});
