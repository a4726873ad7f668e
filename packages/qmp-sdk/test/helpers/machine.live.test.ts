import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  listBlockDevices,
  listDisplayServers,
  listNetworkDevices,
  listPciFunctions,
  measureDirtyRate,
  quit,
  readOnlyCommands,
  restrict,
  runHumanMonitorCommand,
  screendump,
} from '../../src/helpers/index.js';
import type { QmpClient } from '../../src/qmp/client.js';
import { QmpClosedError, QmpTimeoutError } from '../../src/qmp/errors.js';
import { describeQemus, Qemu } from '../support/qemu.js';

const mac = '52:54:00:00:00:07';
const machine = [
  ...['-machine', 'pc', '-m', '32', '-vga', 'std', '-vnc', 'unix:{}/vnc'],
  ...['-netdev', 'hubport,id=net0,hubid=0', '-device', `e1000,id=nic0,netdev=net0,mac=${mac}`],
  ...['-blockdev', 'null-co,node-name=disk,size=1048576,read-zeroes=on'],
  ...['-device', 'ide-hd,id=hd0,drive=disk', '-device', 'ide-cd,id=cd0'],
];

describeQemus('what a real QEMU tells of its machine', (program) => {
  let qemu: Qemu;
  let client: QmpClient;

  beforeAll(async () => {
    qemu = new Qemu(machine, { program });
    client = await qemu.connect();
  });
  afterAll(async () => {
    await client?.close();
    await qemu?.[Symbol.asyncDispose]();
  });

  test('disks, cards, functions, displays', async () => {
    const disks = await listBlockDevices(client);
    expect(disks).toMatchObject([
      { device: 'hd0', removable: false, medium: { node: 'disk', format: 'null-co', sizeBytes: 1048576 } },
      { device: 'cd0', removable: true, medium: undefined },
    ]);
    const path = '/machine/peripheral/nic0';
    expect(await listNetworkDevices(client)).toEqual([{ id: 'nic0', path, driver: 'e1000', mac, backend: 'net0' }]);
    const functions = await listPciFunctions(client);
    expect(functions.find(({ id }) => id === 'nic0')).toMatchObject({
      classCode: 0x0200,
      vendorId: 0x8086,
      deviceId: 0x100e,
    });
    expect(functions.some(({ classCode }) => classCode === 0x0300)).toBe(true);
    expect(await listDisplayServers(client)).toMatchObject([
      { protocol: 'vnc', service: qemu.path('vnc'), clients: 0 },
    ]);
  });

  test('functions behind a bridge are listed too', async () => {
    const bridged = ['-device', 'pcie-root-port,id=rp0,chassis=1', '-device', 'virtio-rng-pci,id=behind,bus=rp0'];
    await using other = new Qemu(['-machine', 'q35', ...bridged], { program });
    await using monitor = await other.connect();
    // Until the firmware has given the bus behind the bridge a number, QEMU lists nothing there.
    await expect
      .poll(async () => (await listPciFunctions(monitor)).find(({ id }) => id === 'behind'), { timeout: 30_000 })
      .toMatchObject({ vendorId: 0x1af4 });
  });

  test('a picture of its display, as PNG and as PPM', async () => {
    for (const [format, signature] of [
      ['png', '\x89PNG\r\n\x1a\n'],
      ['ppm', 'P6'],
    ] as const) {
      const filename = qemu.path(`shot.${format}`);
      await screendump(client, { filename, format });
      const bytes = readFileSync(filename);
      expect(bytes.subarray(0, signature.length).toString('latin1')).toBe(signature);
      // The screen may still be blank.
      expect(bytes.length).toBeGreaterThan(500);
    }
    await expect(screendump(client, { filename: '/nonexistent/shot.png' })).rejects.toMatchObject({
      code: 'QMP_COMMAND',
    });
  });

  test('the human monitor answers in text, and errors are text', async () => {
    expect(await runHumanMonitorCommand(client, 'info name')).toBe('');
    expect(await runHumanMonitorCommand(client, 'nosuchcommand')).toBe("unknown command: 'nosuchcommand'\n");
  });

  test('the dirty rate, in each mode this machine has', async () => {
    const rate = await measureDirtyRate(client);
    expect(rate).toMatchObject({ mode: 'page-sampling', durationMs: 1000 });
    expect(rate.mebibytesPerSecond).toBeGreaterThanOrEqual(0);
    // QEMU 7.2 without KVM dies of the other modes, newer ones do not.
    const { major } = client.greeting.version.qemu;
    const bitmap = measureDirtyRate(client, { mode: 'dirty-bitmap' });
    if (major >= 10) expect(await bitmap).toMatchObject({ mode: 'dirty-bitmap' });
    else
      await expect(bitmap).rejects.toMatchObject({
        code: 'QMP_UNSUPPORTED',
        message: expect.stringContaining('KVM') as string,
      });
    const ring = measureDirtyRate(client, { mode: 'dirty-ring' });
    await expect(ring).rejects.toMatchObject({ code: major >= 10 ? 'QMP_COMMAND' : 'QMP_UNSUPPORTED' });
    const short = measureDirtyRate(client, { durationMs: 100 });
    if (major >= 10) expect(await short).toMatchObject({ durationMs: 100 });
    else await expect(short).rejects.toMatchObject({ code: 'QMP_COMMAND' });
    expect((await client.execute('query-status')).running).toBe(true);
  });

  test('restricted to reading', async () => {
    const reading = restrict(client, readOnlyCommands);
    expect(await listPciFunctions(reading)).not.toHaveLength(0);
    expect(await listNetworkDevices(reading)).toHaveLength(1);
    await expect(reading.raw('quit')).rejects.toMatchObject({ code: 'QMP_NOT_ALLOWED' });
    await expect(runHumanMonitorCommand(reading, 'quit')).rejects.toMatchObject({ code: 'QMP_NOT_ALLOWED' });
  });
});

describeQemus('a real QEMU whose main loop is blocked', (program) => {
  let qemu: Qemu;
  let client: QmpClient;
  let server: Server;
  const held: Socket[] = [];

  beforeAll(async () => {
    qemu = new Qemu(['-machine', 'none'], { program });
    client = await qemu.connect();
    // An NBD server that never says anything: opening its export blocks QEMU 7.2's main loop.
    server = createServer((socket) => held.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => server.listen(qemu.path('nbd'), resolve));
  });
  afterAll(async () => {
    server?.close();
    await client?.close();
    await qemu?.[Symbol.asyncDispose]();
  });

  const block = () => {
    const blocked = client.raw('blockdev-add', {
      driver: 'nbd',
      'node-name': 'silent',
      server: { type: 'unix', path: qemu.path('nbd') },
    });
    blocked.catch(() => {});
    return blocked;
  };
  const hangUp = () => held.splice(0).forEach((socket) => socket.destroy());

  test('out-of-band commands are answered, others wait', async () => {
    const blocked = block();
    const order: string[] = [];
    const waiting = client.execute('query-status').then(() => order.push('query-status'));
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await client.oob('query-yank')).toEqual(
      expect.arrayContaining([{ type: 'block-node', 'node-name': 'silent' }]),
    );
    order.push('query-yank');
    hangUp();
    await expect(blocked).rejects.toMatchObject({ code: 'QMP_COMMAND', command: 'blockdev-add' });
    await waiting;
    expect(order).toEqual(['query-yank', 'query-status']);
  });

  test('the reply to a command whose client has gone is not taken for one of the next client', async () => {
    const blocked = block();
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    client.destroy();
    await expect(blocked).rejects.toBeInstanceOf(QmpClosedError);
    // It is greeted while the main loop is blocked; QEMU sends it the refusal that the first one waited for.
    const connecting = qemu.connect();
    await new Promise((resolve) => setTimeout(resolve, 500));
    hangUp();
    client = await connecting;
    expect(client.stats.lateReplies).toBe(1);
    expect(await client.execute('query-status')).toMatchObject({ running: true });
  });

  test('SIGSTOP: not even out of band; SIGKILL: all that waits is told', async () => {
    const blocked = block();
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await qemu.freeze();
    await expect(client.oob('query-yank', undefined, { timeoutMs: 300 })).rejects.toBeInstanceOf(QmpTimeoutError);
    const waiting = client.oob('query-yank');
    const quitting = quit(client);
    qemu.process.kill('SIGKILL');
    await expect(waiting).rejects.toBeInstanceOf(QmpClosedError);
    await expect(blocked).rejects.toBeInstanceOf(QmpClosedError);
    await quitting;
    hangUp();
  });
});
