import { afterEach, expect, test } from 'vitest';
import { hotPlug, hotUnplug } from '../../src/helpers/index.js';
import { FakeError, FakeQmp } from '../../src/testing/index.js';
import { monitorOf, type Monitored } from './monitor.js';

const path = '/machine/peripheral/d0';
let open: Monitored | undefined;
afterEach(() => open?.close());

/** A QEMU with one device, that says of it what the test wants. */
async function withDevice(onDelete: (fake: FakeQmp) => void, isThere = () => true) {
  open = await monitorOf((fake) =>
    fake
      .on('device_del', () => onDelete(fake))
      .on('qom-list', () => (isThere() ? [{ name: 'd0', type: 'child<x>' }] : [])),
  );
  return open;
}

test('the event may come before the reply; the first of a virtio device is not the one', async () => {
  let replied = false;
  const { client } = await withDevice((fake) => {
    fake.emit('DEVICE_DELETED', { path: `${path}/virtio-backend` });
    fake.emit('DEVICE_DELETED', { path: '/machine/peripheral/other', device: 'other' });
    setTimeout(() => {
      replied = true;
      fake.emit('DEVICE_DELETED', { path, device: 'd0' });
    }, 50);
  });
  expect(await hotUnplug(client, 'd0')).toMatchObject({ path, seenBy: 'event' });
  expect(replied).toBe(true);
});

test('a device without id is named by its path', async () => {
  const anonymous = '/machine/peripheral-anon/device[0]';
  open = await monitorOf((fake) =>
    fake.on('device_del', ({ id }) => fake.emit('DEVICE_DELETED', { path: id as string })).on('qom-list', () => []),
  );
  expect(await hotUnplug(open.client, anonymous)).toMatchObject({ path: anonymous, seenBy: 'event' });
});

test('the guest refuses', async () => {
  const { client } = await withDevice((fake) => fake.emit('DEVICE_UNPLUG_GUEST_ERROR', { path, device: 'd0' }));
  await expect(hotUnplug(client, 'd0')).rejects.toMatchObject({ code: 'QMP_UNPLUG_REFUSED', path });
});

test('the guest refuses by ACPI: what it said is told, what is no refusal is waited past', async () => {
  const ost = (status: number, device = 'd0', source = 3) => ({
    info: { device, slot: '0', 'slot-type': 'DIMM', source, status },
  });
  const { client } = await withDevice((fake) => {
    for (const data of [ost(0x82, 'other'), ost(0x82, 'd0', 0), ost(0x84), ost(0), ost(0x82)]) {
      fake.emit('ACPI_DEVICE_OST', data);
    }
  });
  await expect(hotUnplug(client, 'd0')).rejects.toMatchObject({
    code: 'QMP_UNPLUG_REFUSED',
    path,
    message: `the guest refuses to let go of ${path}: busy (_OST status 0x82)`,
  });
});

test('an event that was lost is made up for by looking', async () => {
  let looks = 0;
  const { client } = await withDevice(
    () => {},
    () => ++looks < 3,
  );
  expect(await hotUnplug(client, 'd0', { pollIntervalMs: 10 })).toMatchObject({ seenBy: 'state' });
  expect(looks).toBe(3);
});

test('asked before is no failure; any other refusal is', async () => {
  const { client, fake } = await withDevice((one) => {
    setTimeout(() => one.emit('DEVICE_DELETED', { path, device: 'd0' }), 20);
    throw new FakeError('GenericError', 'Device d0 is already in the process of unplug');
  });
  await hotUnplug(client, 'd0');
  fake.on('device_del', () => {
    throw new FakeError('GenericError', "Bus 'pci.0' does not support hotplugging");
  });
  await expect(hotUnplug(client, 'd0')).rejects.toMatchObject({ code: 'QMP_COMMAND', errorClass: 'GenericError' });
});

test('nothing happens until the deadline', async () => {
  const { client } = await withDevice(() => {});
  const waiting = hotUnplug(client, 'd0', { timeoutMs: 60, pollIntervalMs: 10 });
  await expect(waiting).rejects.toMatchObject({
    code: 'QMP_UNPLUG_PENDING',
    next: expect.stringContaining('again') as string,
  });
});

test('backends: made first to last, taken away last to first, also when the device fails', async () => {
  const calls: string[] = [];
  open = await monitorOf((fake) => {
    for (const name of [
      'blockdev-add',
      'blockdev-del',
      'object-add',
      'object-del',
      'chardev-add',
      'chardev-remove',
    ]) {
      fake.on(name, (args) => void calls.push(`${name} ${(args['node-name'] ?? args['id']) as string}`));
    }
    fake.on('device_add', () => {
      throw new FakeError('GenericError', 'no');
    });
  });
  const backends = [
    { object: { 'qom-type': 'x', id: 'o' } },
    { chardev: { id: 'c' } },
    { blockdev: { 'node-name': 'b' } },
  ];
  await expect(hotPlug(open.client, { driver: 'x', id: 'd' }, backends)).rejects.toMatchObject({
    code: 'QMP_COMMAND',
  });
  expect(calls).toEqual([
    ...['object-add o', 'chardev-add c', 'blockdev-add b'],
    ...['blockdev-del b', 'chardev-remove c', 'object-del o'],
  ]);
});
