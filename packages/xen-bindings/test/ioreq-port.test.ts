import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChildTools, FakeXen, until } from './support/fake-xen.js';
import { GuestSlots, SlotState, localPort } from './support/guest-slots.js';

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

interface Served {
  readonly vcpu: number;
  readonly addr: bigint;
  readonly data: bigint;
  readonly count: number;
  readonly size: number;
  readonly stateByte: number;
  readonly type: number;
  readonly resumed: boolean;
}

/** Answers `count` requests with 0x8000000180000002 each, in the child. */
function serve({ xen, ready }: ChildTools, options: { place: typeof place; count: number }): Served[] {
  const port = xen.IoreqPort.open({ ...options.place, wakePort: 0 });
  const { request } = port;
  const served: Served[] = [];
  ready();
  while (served.length < options.count) {
    const vcpu = port.next(10_000);
    if (vcpu < 0) throw new Error(`next() gave ${vcpu} after ${served.length} requests`);
    served.push({
      vcpu,
      addr: request.getBigUint64(0, true),
      data: request.getBigUint64(8, true),
      count: request.getUint32(16, true),
      size: request.getUint32(20, true),
      stateByte: request.getUint8(30),
      type: request.getUint8(31),
      resumed: port.resumed,
    });
    port.complete(vcpu, 0x8000_0002, 0x8000_0001);
  }
  port.close();
  return served;
}
const ANSWER = 0x8000_0001_8000_0002n;

describe('IoreqPort serves', () => {
  it('requests of several vCPUs, each answered in its own slot', async () => {
    const child = fake.start(serve, { place, count: 4 });
    await fake.childReady();
    await slots.ask(2, { addr: 0xffff_ffff_ffff_fff0n, data: 1n, size: 8, flags: 0x20, type: 1 });
    expect(await slots.answer(2)).toEqual({ stateByte: 0x23, data: ANSWER });
    slots.put(0, { addr: 5n, flags: 0x20, type: 2 });
    slots.put(1, { addr: 6n, flags: 0x20, count: 7, size: 2, type: 0 });
    await fake.raiseEvent(localPort(1));
    await fake.raiseEvent(localPort(0));
    await slots.answer(1);
    await slots.answer(0);
    await slots.ask(2, { addr: 8n, flags: 0x20, type: 8 });
    await slots.answer(2);

    const served = await child.result;
    expect(served.map(({ vcpu }) => vcpu)).toEqual([2, 1, 0, 2]);
    expect(served[0]).toEqual({
      vcpu: 2,
      addr: 0xffff_ffff_ffff_fff0n,
      data: 1n,
      count: 1,
      size: 8,
      stateByte: 0x22,
      type: 1,
      resumed: false,
    });
    expect(served[1]).toMatchObject({ addr: 6n, count: 7, size: 2, type: 0 });
    expect(await child.exit).toMatchObject({ code: 0, stderr: '' });
    expect(slots.eventPort(2)).toBe(42);
    expect(fake.calls()).toEqual([
      'xenforeignmemory_map_resource 3 0 2 1 1 3 0',
      ...[40, 41, 42].map((port) => `xenevtchn_bind_interdomain 3 ${port}`),
      ...[1042, 1041, 1040, 1042].flatMap((port) => [
        `xenevtchn_pending ${port}`,
        `xenevtchn_unmask ${port}`,
        `xenevtchn_notify ${port}`,
      ]),
      ...[1040, 1041, 1042].map((port) => `xenevtchn_unbind ${port}`),
      'xenforeignmemory_unmap_resource',
    ]);
  });

  it.each([
    { name: 'a read of a value', flags: 0x20, written: true },
    { name: 'a read of a value, spare and df set', flags: 0xe0, written: true },
    { name: 'a write', flags: 0x00, written: false },
    { name: 'a read into guest memory', flags: 0x30, written: false },
    { name: 'a write from guest memory, all flags', flags: 0xd0, written: false },
  ])('$name: keeps flags $flags, data written: $written', async ({ flags, written }) => {
    const child = fake.start(serve, { place, count: 1 });
    await fake.childReady();
    await slots.ask(0, { data: 0x1234n, flags });
    expect(await slots.answer(0)).toEqual({ stateByte: flags | 3, data: written ? ANSWER : 0x1234n });
    await child.exit;
  });

  it('a request that arrives between the event and the unmask', async () => {
    slots.put(1, { addr: 9n, flags: 0x20 }, SlotState.none);
    fake.write('on-unmask', `${slots.fileName} ${32 + 30} ${0x21}`);
    const child = fake.start(serve, { place, count: 1 });
    await fake.raiseEvent(localPort(1)); // the slot is still empty; unmasking fills it, and no second event comes
    expect(await slots.answer(1)).toMatchObject({ stateByte: 0x23 });
    expect(await child.result).toMatchObject([{ vcpu: 1, addr: 9n }]);
  });

  it('nothing for spurious events and ports of others', async () => {
    const child = fake.start(serve, { place, count: 2 });
    // Once one is served the port is open, and what comes then is not taken for an earlier server's.
    await slots.ask(0, { addr: 0n });
    await slots.answer(0);
    await fake.raiseEvent(localPort(0));
    await fake.raiseEvent(4711);
    slots.put(1, {}, SlotState.responseReady);
    await fake.raiseEvent(localPort(1));
    await slots.ask(2, { addr: 1n });
    await slots.answer(2);
    expect((await child.result).map(({ vcpu }) => vcpu)).toEqual([0, 2]);
    expect(slots.stateByte(0)).toBe(SlotState.none);
    expect(slots.stateByte(1)).toBe(SlotState.responseReady);
    expect(fake.calls()).toContain('xenevtchn_unmask 4711');
  });
});

describe('IoreqPort takes over', () => {
  it('what a killed server left: READY and INPROCESS slots come first, without events', async () => {
    slots.put(0, { addr: 10n, flags: 0x20 }, SlotState.ready);
    slots.put(1, { addr: 11n, flags: 0x40 }, SlotState.responseReady);
    slots.put(2, { addr: 12n, flags: 0x20 }, SlotState.inProcess);
    const served = await fake.run(serve, { place, count: 2 });
    expect(served).toMatchObject([
      { vcpu: 0, addr: 10n, resumed: false, stateByte: 0x22 },
      { vcpu: 2, addr: 12n, resumed: true, stateByte: 0x22 },
    ]);
    expect(await slots.answer(2)).toEqual({ stateByte: 0x23, data: ANSWER });
    expect(slots.stateByte(1)).toBe(0x43);
  });

  it('a request only once, although binding raises its event again', async () => {
    slots.put(0, { addr: 10n, flags: 0x20 }, SlotState.inProcess);
    const child = fake.start(({ xen }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      const first = port.next(10_000);
      const second = port.next(500);
      port.complete(first, 1, 0);
      return [first, second, port.next(0)];
    }, place);
    await fake.raiseEvent(localPort(0));
    expect(await child.result).toEqual([0, -1, -1]);
  });

  it('a slot whose server was killed with it, in a second process', async () => {
    const child = fake.start(({ xen }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      const vcpu = port.next(10_000);
      if (vcpu === 1) for (;;); // holds the request until it is killed
    }, place);
    child.result.catch(() => undefined);
    await slots.ask(1, { addr: 77n, flags: 0x20 });
    await until(() => slots.stateByte(1) === 0x22);
    child.process.kill('SIGKILL');
    expect(await child.exit).toMatchObject({ signal: 'SIGKILL' });
    expect(await fake.run(serve, { place, count: 1 })).toMatchObject([{ vcpu: 1, addr: 77n, resumed: true }]);
    expect(await slots.answer(1)).toMatchObject({ data: ANSWER });
  });
});

describe('IoreqPort.next', () => {
  it('times out, and returns at once for 0', async () => {
    const [result, waitedMs, immediate] = await fake.run(({ xen }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      const start = performance.now();
      const timedOut = port.next(150);
      const waited = performance.now() - start;
      return [timedOut, waited, port.next(0)] as const;
    }, place);
    expect([result, immediate]).toEqual([-1, -1]);
    expect(waitedMs).toBeGreaterThanOrEqual(149);
  });

  it('keeps its deadline under a stream of spurious events', async () => {
    const child = fake.start(({ xen }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      return port.next(500);
    }, place);
    for (let count = 0; count < 20; count += 1) await fake.raiseEvent(localPort(0));
    expect(await child.result).toBe(-1);
  });

  it('is woken from another thread, once', async () => {
    slots.put(0, { addr: 1n });
    const results = await fake.run(async ({ xen, Worker, packageUrl }, options: typeof place) => {
      const wake = xen.WakeEvent.open();
      const code = `
          const { parentPort, workerData } = require('node:worker_threads');
          import(workerData.packageUrl).then(({ IoreqPort }) => {
            const port = IoreqPort.open(workerData.options);
            const inherited = port.next(10000);
            port.complete(0, 0, 0);
            parentPort.postMessage('served');
            const results = [inherited, port.next(-1), port.next(0)];
            port.close();
            parentPort.postMessage(results);
          });`;
      const workerData = { packageUrl, options: { ...options, wakePort: wake.port } };
      const worker = new Worker(code, { eval: true, workerData });
      let last: unknown;
      worker.on('message', (message: unknown) => {
        last = message;
        if (message === 'served') setTimeout(() => wake.wake(), 50);
      });
      await new Promise((resolve) => worker.on('exit', resolve));
      wake.close();
      return last;
    }, place);
    expect(results).toEqual([0, -2, -1]);
  });

  it('takes wakes and requests in the order in which they came', async () => {
    const child = fake.start(({ xen, ready }, options: typeof place) => {
      const wake = xen.WakeEvent.open();
      const port = xen.IoreqPort.open({ ...options, wakePort: wake.port });
      wake.wake();
      ready();
      const until = performance.now() + 500;
      while (performance.now() < until);
      return [port.next(0), port.next(0), port.next(0)];
    }, place);
    await fake.childReady();
    await slots.ask(1, {});
    expect(await child.result).toEqual([-2, 1, -1]);
  });

  it('says that the event channel failed', async () => {
    fake.fail('xenevtchn_pending', constants.errno.EFBIG);
    const child = fake.start(({ xen }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      return port.next(10_000);
    }, place);
    await fake.raiseEvent(localPort(0));
    expect(await child.result).toBe(-3);
  });

  it('refuses a request buffer that was given away', async () => {
    slots.put(0, {});
    const error = await fake.run(({ xen, caught }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      structuredClone(port.request.buffer, { transfer: [port.request.buffer as ArrayBuffer] });
      return caught(() => port.next(0));
    }, place);
    expect(error.name).toBe('TypeError');
    expect(slots.stateByte(0)).toBe(SlotState.ready);
  });
});

describe('IoreqPort refuses', () => {
  it('to complete what is not open', async () => {
    slots.put(1, { data: 5n, flags: 0x20 });
    const errors = await fake.run(({ xen, caught }, options: typeof place) => {
      const port = xen.IoreqPort.open({ ...options, wakePort: 0 });
      const before = caught(() => port.complete(1, 0, 0));
      const vcpu = port.next(0);
      const other = caught(() => port.complete(0, 0, 0));
      port.complete(vcpu, 0, 0);
      return [before, other, caught(() => port.complete(vcpu, 0, 0)), caught(() => port.complete(3, 0, 0))];
    }, place);
    expect(errors.map(({ code }) => code)).toEqual(Array(4).fill('XEN_IOREQ_NOT_OPEN'));
    expect(fake.calls().filter((call) => call.startsWith('xenevtchn_notify'))).toEqual(['xenevtchn_notify 1041']);
    expect(slots.stateByte(0)).toBe(SlotState.none);
  });

  it('a server that is not enabled, and gives back what it had opened', async () => {
    const error = await fake.run(
      ({ xen, caught }, options: typeof place) =>
        caught(() => xen.IoreqPort.open({ ...options, vcpuCount: 4, wakePort: 0 })),
      place,
    );
    expect(error).toMatchObject({ name: 'XenError', code: 'XEN_IOREQ_NOT_ENABLED' });
    expect(error.message).toContain('vCPU 3');
    const calls = fake.allCalls();
    expect(calls.filter((call) => call.startsWith('xenevtchn_unbind'))).toHaveLength(3);
    expect(calls.slice(-3)).toEqual(['xenevtchn_close', 'xenforeignmemory_unmap_resource', 'xenforeignmemory_close']);
  });

  it('impossible vCPU counts, bad descriptors and use after close', async () => {
    const errors = await fake.run(({ xen, caught }, options: typeof place) => {
      const closed = xen.IoreqPort.open({ ...options, wakePort: 0 });
      closed.close();
      closed.close();
      return [
        caught(() => xen.IoreqPort.open({ ...options, vcpuCount: 0, wakePort: 0 })).name,
        caught(() => xen.IoreqPort.open({ ...options, vcpuCount: 129, wakePort: 0 })).name,
        caught(() => xen.IoreqPort.open({ ...options, wakePort: 4711 })).errnoName,
        caught(() => closed.next(0)).code,
        caught(() => closed.complete(0, 0, 0)).code,
      ];
    }, place);
    expect(errors).toEqual(['RangeError', 'RangeError', 'EINVAL', 'XEN_CLOSED', 'XEN_CLOSED']);
  });
});
