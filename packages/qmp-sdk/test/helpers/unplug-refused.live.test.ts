import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hotPlug, hotUnplug } from '../../src/helpers/index.js';
import { bootLinux, type RunningLinux } from '../support/boot-linux.js';
import { noLinuxGuest } from '../support/linux-guest.js';
import { mustHaveQemus } from '../support/programs.js';
import { describeQemus } from '../support/qemu.js';

// Guests that do not let go. A PCI device can not be refused, only not be answered for; memory can.

const missing = noLinuxGuest();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
if (missing !== undefined && mustHaveQemus) test('a Linux that refuses', () => expect.fail(missing));

describeQemus(`a running Linux that does not let go${why}`, (program) => {
  describe.skipIf(missing !== undefined)('of memory that it uses', () => {
    let linux: RunningLinux;
    beforeAll(async () => {
      linux = await bootLinux({
        program,
        machine: ['-m', '128,slots=2,maxmem=1G'],
        parameters: 'memhp_default_state=online_kernel',
      });
    });
    afterAll(() => end(linux));

    const plug = (name: string) =>
      hotPlug(linux.client, { driver: 'pc-dimm', id: name, memdev: `of-${name}` }, [
        { object: { 'qom-type': 'memory-backend-ram', id: `of-${name}`, size: 128 << 20 } },
      ]);

    test('it says so, and the device stays', async () => {
      const { client, shell } = linux;
      const dimm = await plug('dimm0');
      // The kernel allocates from the newest memory first, and what it has itself it can not move.
      await shell.run('until grep -q online /sys/devices/system/memory/memory32/state; do sleep 0.1; done');
      await shell.run('for n in $(seq 500); do mkdir /tmp/$n; done');
      await expect(hotUnplug(client, dimm, { timeoutMs: 60_000 })).rejects.toMatchObject({
        code: 'QMP_UNPLUG_REFUSED',
        message: 'the guest refuses to let go of /machine/peripheral/dimm0: busy (_OST status 0x82)',
      });
      expect(await client.execute('query-memory-devices')).toHaveLength(1);
      expect(await shell.run('dmesg')).toContain('Offline failed');
    });

    test('memory that it does not use goes, and its backend after it', async () => {
      const { client, shell } = linux;
      await shell.run('echo offline >/sys/devices/system/memory/auto_online_blocks');
      const dimm = await plug('dimm1');
      await shell.run('until [ -e /sys/devices/system/memory/memory33 ]; do sleep 0.1; done');
      expect(await hotUnplug(client, dimm, { timeoutMs: 60_000 })).toMatchObject({ path: dimm.path });
      const backends = (await client.execute('query-memdev')).map(({ id }) => id);
      expect(backends).toContain('of-dimm0');
      expect(backends).not.toContain('of-dimm1');
    });
  });

  describe.skipIf(missing !== undefined)('since it knows no hot-plug', () => {
    let linux: RunningLinux;
    beforeAll(async () => {
      linux = await bootLinux({ program, parameters: 'acpi=off' });
    });
    afterAll(() => end(linux));

    test('pending at the deadline, as often as it is asked; gone with the next reset', async () => {
      const { client, shell } = linux;
      const card = await hotPlug(client, { driver: 'virtio-rng-pci', id: 'r0' });
      for (let time = 0; time < 2; time++) {
        await expect(hotUnplug(client, card, { timeoutMs: 1500, pollIntervalMs: 200 })).rejects.toMatchObject({
          code: 'QMP_UNPLUG_PENDING',
          next: expect.stringContaining('may not support hot-unplug') as string,
        });
      }
      expect(await shell.run('echo alive')).toContain('alive');
      const waiting = hotUnplug(client, card, { timeoutMs: 30_000 });
      await client.execute('system_reset');
      expect(await waiting).toMatchObject({ path: card.path });
    });
  });
});

async function end(linux: RunningLinux | undefined): Promise<void> {
  linux?.shell.close();
  await linux?.client.close();
  await linux?.qemu[Symbol.asyncDispose]();
}
