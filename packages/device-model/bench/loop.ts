import { PerformanceObserver } from 'node:perf_hooks';
import { GuestModel } from '../src/guest-model.js';
import { noGuestMemory, RequestHandler } from '../src/ioreq.js';
import { serve } from '../src/serve.js';
import { request } from '../test/support/guest.js';
import { at, networkCard } from '../test/support/network-card.js';
import { cardName, home, slot } from '../test/support/rig.js';
import { QuietDevice, QuietHypervisor, Replay } from './fakes.js';

/** Requests of one timed run, and of all kinds together. */
const timedRequests = 1_000_000;
const rounds = 3;

const register = (offset: number) => (BigInt(slot) << 32n) | BigInt(offset);
const read = (offset: number, size = 4) => request({ type: 2, address: register(offset), size, read: true });
const write = (offset: number, value: number, size = 4) =>
  request({ type: 2, address: register(offset), size, data: BigInt(value) });
const readMemory = (address: number, size = 4) => request({ type: 1, address: BigInt(address), size, read: true });
const writeMemory = (address: number, value: number, size = 4) =>
  request({ type: 1, address: BigInt(address), size, data: BigInt(value) });

const entry = home.bar3 + 16;

const kinds = {
  'config read, the register file': [read(0x00), read(0x3c), read(0x10)],
  'config read, hardware': [read(0x04), read(0x06, 2)],
  'config write, the register file': [write(0x3c, 5, 1), write(0x3c, 9, 1)],
  'config write, hardware': [write(0x04, 7, 2)],
  'config write, denied': [write(0x40, 7)],
  'MSI-X read': [readMemory(entry), readMemory(entry + 8, 8)],
  'MSI-X write': [writeMemory(entry + 8, 0x4041), writeMemory(entry + 8, 0x4042)],
  'MSI-X mask, unmask': [writeMemory(entry + 12, 1), writeMemory(entry + 12, 0)],
  'beside the MSI-X table, hardware': [readMemory(home.bar3 + 0x800), readMemory(home.bar3 + 0x900, 8)],
  'BAR, made for the guest': [readMemory(home.bar0 + 8), writeMemory(home.bar0 + 8, 1)],
  'decode off, on, first touch': [write(0x04, 0, 2), write(0x04, 7, 2), readMemory(home.bar0)],
  'stray and unknown': [
    readMemory(0xd000_0000),
    request({ type: 8 }),
    request({ type: 77, read: true }),
    request({ type: 0, address: 0xc000n, size: 4, read: true }),
    request({ type: 2, address: 0x99n << 32n, size: 4, read: true }),
    request({ type: 1, address: BigInt(entry), size: 3, read: true }),
  ],
} as const;

class Bench {
  readonly #hypervisor = new QuietHypervisor();

  /** A fresh model with a placed card, and the loop over it to its end. */
  run(requests: readonly DataView[], count: number, measured: (loop: () => void) => void): void {
    const model = new GuestModel({
      hypervisor: this.#hypervisor,
      openDevice: () => new QuietDevice(networkCard({ vpd: true })),
    });
    const handler = new RequestHandler(model, noGuestMemory, (error) => {
      throw error;
    });
    const serveAll = (some: readonly DataView[], howMany: number) => {
      const replay = new Replay(some, howMany);
      const end = { releaseAll: () => {} };
      const server = { disable: () => {}, destroy: () => {} };
      const keptModel = Object.assign(Object.create(model) as GuestModel, end, { commit: () => model.commit() });
      serve({ port: replay, control: replay, server, handler, model: keptModel, report: () => {} });
    };
    model.attach({ sbdf: cardName, guestDevfn: slot });
    const places = Object.values(home).map((address, index) => write(0x10 + index * 4, address));
    const set = [
      ...places,
      write(0x04, 7, 2),
      readMemory(home.bar0),
      readMemory(home.bar1),
      write(at.msix + 2, 4, 2),
    ];
    serveAll(set, set.length);
    serveAll(requests, 100_000);
    measured(() => serveAll(requests, count));
    if (handler.counts.faulted > 0) throw new Error('a request met a defect');
    model.releaseAll();
  }
}

const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error('run it with --expose-gc');
let collections: number[] = [];
new PerformanceObserver((list) => {
  collections.push(...list.getEntries().map(({ startTime }) => startTime));
}).observe({ entryTypes: ['gc'] });
/** Entries come through the event loop. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

const bench = new Bench();
const table: Record<string, { nsPerRequest: number; bytesInAll: number | null; collections: number }> = {};
for (const [name, requests] of Object.entries({ ...kinds, 'all of them in turn': Object.values(kinds).flat() })) {
  let best = Infinity;
  let found = 0;
  let allocated = 0;
  for (let round = 0; round < rounds; round += 1) {
    await settled();
    let [from, to, heap] = [0, 0, 0];
    bench.run(requests, timedRequests, (loop) => {
      heap = process.memoryUsage().heapUsed;
      from = performance.now();
      loop();
      to = performance.now();
      heap = process.memoryUsage().heapUsed - heap;
    });
    await settled();
    if (to - from < best) {
      best = to - from;
      allocated = heap;
      found = collections.filter((time) => time >= from && time <= to).length;
    }
    collections = [];
  }
  table[name] = {
    nsPerRequest: Math.round((best / timedRequests) * 1e6),
    // What a collection took is not known.
    bytesInAll: found === 0 ? allocated : null,
    collections: found,
  };
}
console.table(table);

let growth = 0;
bench.run(Object.values(kinds).flat(), timedRequests, (loop) => {
  collect();
  const before = process.memoryUsage().heapUsed;
  loop();
  collect();
  growth = process.memoryUsage().heapUsed - before;
});
console.log(`heap kept by ${timedRequests} requests of all kinds: ${growth} bytes`);
