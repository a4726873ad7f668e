import { describe, expect, test } from 'vitest';
import { FakeError } from '../../src/testing/index.js';
import { attach, checkAttach, checkDetach, detach } from '../../src/xen/index.js';
import { type FakeHost, fakeDomain } from '../../src/xen/testing/index.js';
import { Qemu } from './guest-qemu.js';
import { CARD, failure, readyHost } from './hosts.js';

const running = fakeDomain(5, { flags: { paused: false } });
const paused = fakeDomain(5, { flags: { paused: true } });
const request = { domain: '5', device: CARD };

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
  expect(qemu.typed).toEqual(['o /w 0xae08 0x40']);
  expect(qemu.plugged.size).toBe(0);
  expect(host.dump()).toEqual(before);
});

test('the model has the ejects before the guest is asked', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  let then: readonly string[] = [];
  qemu.whenAsked = () => (then = host.models.dump());
  await detach(host, request);
  expect(then).toEqual([`model 5: ${CARD} expects ejects`]);
});

test('other slots that the guest ejects meanwhile are given to QEMU one by one, the last included', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  qemu.slots = ((1 << 31) | (1 << 6) | (1 << 3)) >>> 0;
  expect(await detach(host, request)).toMatchObject({ complete: true });
  expect(qemu.typed).toEqual(['o /w 0xae08 0x8', 'o /w 0xae08 0x40', 'o /w 0xae08 0x80000000']);
});

test('a guest that ejects another slot only keeps the device', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  const attached = host.dump();
  qemu.slots = 1 << 3;
  expect(await failure(detach(host, { ...request, timeoutMs: 500 }))).toMatchObject({
    code: 'XENPT_GUEST_KEEPS_DEVICE',
  });
  expect(qemu.typed).toEqual(['o /w 0xae08 0x8']);
  expect(qemu.plugged.size).toBe(1);
  expect(host.dump()).toEqual(attached);
});

describe('a detach that died', () => {
  /** A command that had the model expect ejects, and is no more. */
  async function diedWith(slots: number): Promise<{ host: FakeHost; qemu: Qemu }> {
    const { host, qemu } = await hostWithQemu();
    await attach(host, { domain: '5', spec: CARD });
    const command = await host.models.connect(5);
    await command?.expectEjects(0);
    expect(host.models.guestEjects(5, slots)).toBe(true);
    command?.close();
    return { host, qemu };
  }

  test('before QEMU was given what the guest ejected: the next one gives it, and asks nobody', async () => {
    const { host, qemu } = await diedWith(1 << 6);
    expect(host.models.dump()).toEqual([`model 5: ${CARD} ejected 0x40`]);
    expect(await detach(host, request)).toMatchObject({ complete: true, notes: [] });
    expect([qemu.typed, qemu.asked]).toEqual([['o /w 0xae08 0x40'], []]);
    expect(qemu.plugged.size).toBe(0);
  });

  test('after that, and before the model knew: it is given again, and nothing is left', async () => {
    const { host, qemu } = await diedWith(1 << 6);
    qemu.eject('xenpt-06.0');
    expect(await detach(host, request)).toMatchObject({ complete: true, modelStopped: true });
    expect([qemu.typed, qemu.asked]).toEqual([['o /w 0xae08 0x40'], []]);
  });
});

test('a QEMU that does not take the eject: nothing is taken, and the next detach gives it again', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  qemu.typedAnswer = "unknown command: 'o'";
  expect(await failure(detach(host, request))).toMatchObject({
    code: 'XENPT_GUEST_KEEPS_DEVICE',
    message: expect.stringMatching(/ejected slot 6.*unknown command/) as string,
    next: expect.stringContaining('--without-guest') as string,
  });
  expect(host.models.dump()).toEqual([`model 5: ${CARD} ejected 0x40`]);
  qemu.typedAnswer = '';
  expect(await detach(host, request)).toMatchObject({ complete: true });
  expect(qemu.asked).toHaveLength(1);
  expect(qemu.plugged.size).toBe(0);
});

test('a model that dies meanwhile ends the wait', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  qemu.answer = 'is silent';
  qemu.whenAsked = () => host.models.kill(5);
  expect(await failure(detach(host, request))).toMatchObject({
    code: 'XENPT_GUEST_KEEPS_DEVICE',
    message: expect.stringContaining('the device model went away') as string,
  });
});

test('a guest that ejects without end does not hold the command up', async () => {
  const { host, qemu } = await hostWithQemu();
  await attach(host, { domain: '5', spec: CARD });
  qemu.answer = 'is silent';
  const hammer = setInterval(() => host.models.guestEjects(5, 0xffff_ffbf), 1);
  try {
    expect(await failure(detach(host, { ...request, timeoutMs: 500 }))).toMatchObject({
      code: 'XENPT_GUEST_KEEPS_DEVICE',
    });
  } finally {
    clearInterval(hammer);
  }
  expect(qemu.plugged.size).toBe(1);
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

test('a dry run tells what QEMU would be asked, and asks it for nothing but its devices', async () => {
  const { host, qemu } = await hostWithQemu();
  const { plan } = await checkAttach(host, { domain: '5', spec: CARD });
  expect([qemu.plugged.size, qemu.asked]).toEqual([0, []]);
  expect(plan.steps.flatMap(({ writes }) => writes)).toContain(
    `device_add {"driver":"pci-testdev","id":"xenpt-06.0","addr":"6.0"} > ${host.monitors.control(5)}`,
  );
  await attach(host, { domain: '5', spec: CARD });
  const given = checkDetach(host, request).plan.steps[0];
  expect(given?.writes).toEqual([`device_del {"id":"xenpt-06.0"} > ${host.monitors.statistics(5)}`]);
  const taken = checkDetach(host, { ...request, withoutGuest: true }).plan.steps[0];
  expect(taken?.title).toBe('record that it is being detached');
  expect([[...qemu.plugged.keys()], qemu.asked]).toEqual([['xenpt-06.0'], []]);
});
