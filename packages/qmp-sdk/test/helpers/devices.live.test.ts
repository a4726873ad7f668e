import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  hotPlug,
  hotUnplug,
  listBlockDevices,
  listNetworkDevices,
  QmpUnplugError,
  type QmpMonitor,
} from '../../src/helpers/index.js';
import { QmpClosedError, QmpCommandError, QmpTimeoutError } from '../../src/qmp/errors.js';
import type { QmpClient } from '../../src/qmp/client.js';
import { bootLinux } from '../support/boot-linux.js';
import { noLinuxGuest, type GuestShell } from '../support/linux-guest.js';
import { mustHaveQemus } from '../support/programs.js';
import { describeQemus, type Qemu } from '../support/qemu.js';

const missing = noLinuxGuest();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
if (missing !== undefined && mustHaveQemus) test('a Linux to plug into', () => expect.fail(missing));

describeQemus(`hot-plug under a running Linux${why}`, (program) => {
  describe.skipIf(missing !== undefined)('with its own drivers', () => {
    let qemu: Qemu;
    let client: QmpClient;
    let shell: GuestShell;

    beforeAll(async () => {
      ({ qemu, client, shell } = await bootLinux({ program }));
    });
    afterAll(async () => {
      shell?.close();
      await client?.close();
      await qemu?.[Symbol.asyncDispose]();
    });

    test('a network card appears in the guest, and goes', async () => {
      const mac = '52:54:00:12:34:99';
      const card = await hotPlug(client, { driver: 'virtio-net-pci', id: 'n0', netdev: 'net0', mac }, [
        { netdev: { type: 'hubport', id: 'net0', hubid: 0 } },
      ]);
      expect(card.path).toBe('/machine/peripheral/n0');
      expect(await appears(shell, 'cat /sys/class/net/*/address', mac)).toBe(true);
      expect(await listNetworkDevices(client)).toEqual([
        { id: 'n0', path: card.path, driver: 'virtio-net-pci', mac, backend: 'net0' },
      ]);
      const gone = await hotUnplug(client, card);
      expect(gone).toMatchObject({ path: card.path, seenBy: 'event' });
      expect(await shell.run('cat /sys/class/net/*/address')).not.toContain(mac);
      // Its backend went with it.
      await expect(client.raw('netdev_del', { id: 'net0' })).rejects.toBeInstanceOf(QmpCommandError);
    });

    test('a disk appears in the guest with its size, and goes; asked twice is asked once', async () => {
      const disk = await hotPlug(client, { driver: 'virtio-blk-pci', id: 'd0', drive: 'disk0' }, [
        { blockdev: { driver: 'null-co', 'node-name': 'disk0', size: 3 * 1024 * 1024 } },
      ]);
      expect(await appears(shell, 'cat /sys/block/vd*/size', '6144')).toBe(true);
      expect(await listBlockDevices(client)).toMatchObject([{ device: expect.stringContaining('d0') as string }]);
      const [first, second] = await Promise.all([hotUnplug(client, disk.id), hotUnplug(client, disk.path)]);
      expect([first.path, second.path]).toEqual([disk.path, disk.path]);
      expect(await shell.run('ls /sys/block')).not.toContain('vd');
      await client.raw('blockdev-del', { 'node-name': 'disk0' });
    });

    test('a device that cannot be made leaves nothing behind', async () => {
      const backend = { blockdev: { driver: 'null-co', 'node-name': 'disk1' } };
      const failing = hotPlug(client, { driver: 'virtio-blk-pci', id: 'd1', drive: 'nosuch' }, [backend]);
      await expect(failing).rejects.toMatchObject({ code: 'QMP_COMMAND', command: 'device_add' });
      await expect(client.raw('blockdev-del', { 'node-name': 'disk1' })).rejects.toMatchObject({
        code: 'QMP_COMMAND',
      });
      await expect(hotPlug(client, { driver: 'virtio-blk-pci', id: '1st' })).rejects.toThrow(RangeError);
      await expect(hotUnplug(client, 'nosuch')).rejects.toMatchObject({ errorClass: 'DeviceNotFound' });
    });

    test('a guest that stands still cannot let go: pending, and it does once it runs', async () => {
      await hotPlug(client, { driver: 'virtio-rng-pci', id: 'r0' });
      await shell.run('sleep 1');
      await client.execute('stop');
      const pending = hotUnplug(client, 'r0', { timeoutMs: 1500, pollIntervalMs: 200 });
      await expect(pending).rejects.toThrow(QmpUnplugError);
      await expect(pending).rejects.toMatchObject({
        code: 'QMP_UNPLUG_PENDING',
        next: expect.stringContaining('Let the guest run') as string,
      });
      await client.execute('cont');
      expect(await hotUnplug(client, 'r0')).toMatchObject({ path: '/machine/peripheral/r0' });
    });

    test('an abort ends the waiting; the device may still go', async () => {
      await hotPlug(client, { driver: 'virtio-rng-pci', id: 'r1' });
      await client.execute('stop');
      const controller = new AbortController();
      const waiting = hotUnplug(client, 'r1', { signal: controller.signal });
      setTimeout(() => controller.abort(), 300);
      await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
      await client.execute('cont');
      await hotUnplug(client, 'r1');
    });

    test('where no event arrives, the device is found to be gone', async () => {
      const deaf: QmpMonitor = {
        raw: (...command) => client.raw(...command),
        events: (names, options) => client.events(names, { ...options, where: () => false }),
        closed: client.closed,
      };
      const device = await hotPlug(client, { driver: 'virtio-rng-pci', id: 'r3' });
      await shell.run('sleep 1');
      expect(await hotUnplug(deaf, device, { pollIntervalMs: 100 })).toMatchObject({ seenBy: 'state' });
    });

    test('SIGSTOP of QEMU in the middle of a hot-plug: what it did after all can be undone', async () => {
      await using stopped = await qemu.connect({ monitor: 'second.qmp', commandTimeoutMs: 300 });
      await qemu.freeze();
      const backend = { blockdev: { driver: 'null-co', 'node-name': 'late' } };
      const plugging = hotPlug(stopped, { driver: 'virtio-blk-pci', id: 'd2', drive: 'late' }, [backend]);
      await expect(plugging).rejects.toMatchObject({
        code: 'QMP_TIMEOUT',
        command: 'blockdev-add',
        outcome: 'unknown',
      });
      qemu.process.kill('SIGCONT');
      await expect.poll(() => stopped.stats.lateReplies, { timeout: 20_000 }).toBe(1);
      await client.execute('blockdev-del', { 'node-name': 'late' });
      await hotUnplug(
        client,
        await hotPlug(client, { driver: 'virtio-blk-pci', id: 'd2', drive: 'late' }, [backend]),
      );
    });

    // The last ones: QEMU does not survive them.
    test('SIGSTOP of QEMU in the middle: no answer, not a patient guest', async () => {
      await hotPlug(client, { driver: 'virtio-rng-pci', id: 'r2' });
      await client.execute('stop');
      const waiting = hotUnplug(client, 'r2', { timeoutMs: 2000, pollIntervalMs: 200 });
      setTimeout(() => void qemu.freeze(), 500);
      await expect(waiting).rejects.toBeInstanceOf(QmpTimeoutError);
      qemu.process.kill('SIGCONT');
      await client.execute('query-status', undefined, { timeoutMs: 20_000 });
    });

    test('SIGKILL of QEMU in the middle of an unplug and of a hot-plug: the connection is gone', async () => {
      const unplugging = hotUnplug(client, 'r2', { timeoutMs: 30_000 });
      await client.execute('query-status');
      await qemu.freeze();
      const plugging = hotPlug(client, { driver: 'virtio-rng-pci', id: 'r4' });
      setTimeout(() => qemu.process.kill('SIGKILL'), 100);
      for (const waiting of [unplugging, plugging]) {
        await expect(waiting).rejects.toBeInstanceOf(QmpClosedError);
        await expect(waiting).rejects.toMatchObject({ reason: expect.stringMatching(/eof|reset/) as string });
      }
    });
  });
});

async function appears(shell: GuestShell, command: string, text: string): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if ((await shell.run(command)).includes(text)) return true;
    await shell.run('sleep 0.1');
  }
  return false;
}
