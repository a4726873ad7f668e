import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../src/index.js';
import { FakeError, FakeQmp } from '../../src/testing/index.js';
import { attach, detach } from '../../src/xen/index.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from './hosts.js';

const open: FakeQmp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const running = fakeDomain(5, { flags: { paused: false } });
const paused = fakeDomain(5, { flags: { paused: true } });
const request = { domain: '5', device: CARD };

/** What the guest does when it is asked to eject. */
type Answer = 'ejects' | 'refuses' | 'is silent';

/** QEMU with one emulated card at slot 5, on both monitors of the guest. */
class Qemu {
  readonly plugged = new Map<string, number>();
  readonly asked: string[] = [];
  answer: Answer = 'ejects';
  beforeAdd: () => void = () => {};
  readonly #monitors: FakeQmp[] = [];

  static async listen(host: FakeHost): Promise<Qemu> {
    const qemu = new Qemu();
    for (const path of [host.monitors.control(5), host.monitors.statistics(5)]) {
      const monitor = new FakeQmp()
        .on('query-pci', () => [{ bus: 0, devices: qemu.#devices() }])
        .on('qom-list', () => [...qemu.plugged.keys()].map((name) => ({ name, type: 'child<pci-testdev>' })))
        .on('query-status', () => ({ status: 'running', running: true }))
        .on('device_add', (args) => qemu.#add(args))
        .on('device_del', ({ id }) => qemu.#remove(id as string));
      await monitor.listen({ unix: path });
      open.push(monitor);
      qemu.#monitors.push(monitor);
    }
    return qemu;
  }

  eject(id: string): void {
    this.plugged.delete(id);
    for (const monitor of this.#monitors) {
      monitor.emit('DEVICE_DELETED', { device: id, path: `/machine/peripheral/${id}` });
    }
  }

  #add({ driver, id, addr }: JsonObject): void {
    this.beforeAdd();
    if (driver !== 'pci-testdev') throw new FakeError('GenericError', `'${driver as string}' is not a valid device`);
    this.plugged.set(id as string, Number.parseInt(addr as string, 16));
  }

  #remove(id: string): void {
    this.asked.push(id);
    if (!this.plugged.has(id)) throw new FakeError('DeviceNotFound', `Device '${id}' not found`);
    if (this.answer === 'ejects') this.eject(id);
    if (this.answer === 'is silent') return;
    const [, events] = this.#monitors;
    if (this.answer === 'refuses') {
      events?.emit('DEVICE_UNPLUG_GUEST_ERROR', { device: id, path: `/machine/peripheral/${id}` });
    }
  }

  #devices(): JsonObject[] {
    return [['nic0', 5] as const, ...this.plugged].map(([id, slot]) => ({
      bus: 0,
      slot,
      function: 0,
      class_info: { class: 0 },
      id: { vendor: 0x1b36, device: 5 },
      irq_pin: 0,
      qdev_id: id,
      regions: [],
    }));
  }
}

async function hostWithQemu(domain = running): Promise<{ host: FakeHost; qemu: Qemu }> {
  const host = await readyHost({ domains: [domain] });
  return { host, qemu: await Qemu.listen(host) };
}

function setPaused(host: FakeHost, domain: typeof running): void {
  host.toolstack.domains.set(5, domain);
}

test('a running guest is told of the device, asked to eject it, and everything is as before', async () => {
  const { host, qemu } = await hostWithQemu();
  const before = host.dump();
  expect(await attach(host, { domain: '5', spec: CARD })).toMatchObject({
    running: true,
    announced: true,
    // The emulated card sits in the first default slot.
    guestSbdf: '0000:00:06.0',
    warnings: [],
  });
  expect([...qemu.plugged]).toEqual([['xenpt-06.0', 6]]);
  expect(await detach(host, request)).toMatchObject({ complete: true, notes: [] });
  expect(qemu.asked).toEqual(['xenpt-06.0']);
  expect(qemu.plugged.size).toBe(0);
  expect(host.dump()).toEqual(before);
});

test('our server has the slot before the guest is told of it', async () => {
  const { host, qemu } = await hostWithQemu();
  let servedThen: readonly string[] = [];
  qemu.beforeAdd = () => (servedThen = host.dump().filter((line) => line.startsWith('model')));
  await attach(host, { domain: '5', spec: CARD });
  expect(servedThen).toEqual([`model 5: ${CARD}`]);
});

test('a slot that QEMU uses is refused before anything is done', async () => {
  const { host } = await hostWithQemu(paused);
  const before = host.dump();
  expect(await failure(attach(host, { domain: '5', spec: `${CARD}@5` }))).toMatchObject({
    code: 'XENPT_SLOT_TAKEN',
    message: expect.stringContaining("nic0 of the guest's QEMU") as string,
  });
  expect(host.dump()).toEqual(before);
});

test('a guest that was paused at the attach is asked too, once it runs', async () => {
  const { host, qemu } = await hostWithQemu(paused);
  expect(await attach(host, { domain: '5', spec: CARD })).toMatchObject({ running: false, announced: true });
  setPaused(host, running);
  await detach(host, request);
  expect(qemu.asked).toEqual(['xenpt-06.0']);
  expect(qemu.plugged.size).toBe(0);
});

test('a guest that has ejected it by itself is not asked', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  qemu.eject('xenpt-06.0');
  expect(await detach(host, request)).toMatchObject({ complete: true });
  expect(qemu.asked).toEqual([]);
});

test.each([
  ['refuses', /refuses to let go/],
  ['is silent', /has not let go .* within 1000 ms/],
] as const)('a guest that %s keeps the device, and can be passed over by name', async (answer, message) => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  const attached = host.dump();
  qemu.answer = answer;
  expect(await failure(detach(host, { ...request, timeoutMs: 1000 }))).toMatchObject({
    code: 'XENPT_GUEST_KEEPS_DEVICE',
    message: expect.stringMatching(message) as string,
    next: expect.stringContaining('--without-guest') as string,
    outcome: 'untouched',
  });
  expect(host.dump()).toEqual(attached);
  expect(await detach(host, { ...request, withoutGuest: true })).toMatchObject({ complete: true });
  expect(qemu.asked).toHaveLength(1);
});

test('an interrupted wait takes nothing', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  const attached = host.dump();
  qemu.answer = 'is silent';
  const signal = AbortSignal.timeout(50);
  expect(await failure(detach(host, { ...request, signal }))).toMatchObject({ code: 'XENPT_GUEST_KEEPS_DEVICE' });
  expect(host.dump()).toEqual(attached);
});

test('a paused guest is not waited for; the request stays with it', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  setPaused(host, paused);
  qemu.answer = 'is silent';
  const { complete, notes } = await detach(host, request);
  expect(complete).toBe(true);
  expect(notes).toEqual([expect.stringContaining('is paused') as string]);
  expect(qemu.asked).toEqual(['xenpt-06.0']);
});

test('a QEMU without the placeholder: the device is attached, and the guest has to look for it', async () => {
  const { host, qemu } = await hostWithQemu();
  qemu.beforeAdd = () => {
    throw new FakeError('GenericError', "'pci-testdev' is not a valid device model name");
  };
  expect(await attach(host, { domain: '5', spec: CARD })).toMatchObject({
    announced: false,
    warnings: [expect.stringMatching(/cannot be told .*not a valid device model name/)],
  });
  const { complete, notes } = await detach(host, request);
  expect(complete).toBe(true);
  expect(notes).toEqual([expect.stringContaining('was not asked') as string]);
});

test('without its model a guest is not asked: its driver would wait for an answer', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  host.models.kill(5);
  expect(await detach(host, request)).toMatchObject({ complete: false });
  expect(qemu.asked).toEqual([]);
});

test('a failure after the guest was told takes the announcement back', async () => {
  const { host, qemu } = await hostWithQemu();
  const controller = new AbortController();
  qemu.beforeAdd = () => controller.abort();
  const before = host.dump();
  expect(await failure(attach(host, { domain: '5', spec: CARD, signal: controller.signal }))).toMatchObject({
    code: 'XENPT_ABORTED',
    outcome: 'rolled-back',
  });
  expect(qemu.asked).toEqual(['xenpt-06.0']);
  expect(host.dump()).toEqual(before);
});
