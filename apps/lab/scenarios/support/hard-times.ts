import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { refusalOf } from '../../src/story/refusal.js';
import type { Setting } from '../../src/story/setting.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';

const name = 'hardy';

const up =
  'for n in $(seq 200); do [ -e /sys/class/net/eth0 ] && break; sleep 0.1; done; ' +
  'ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ' +
  'for n in $(seq 60); do ping -c 1 -W 1 10.0.2.2 >/dev/null && exit 0; done; exit 1';

/** The device model answers, and the card works. */
const goesOn = 'sha256sum /sys/bus/pci/devices/0000:00:05.0/config && ping -c 3 -W 30 10.0.2.2';

/** What dom0 loses while a guest has a card; tests in order. */
export function hardTimesScenarios(scene: () => Setting): void {
  describe('when dom0 loses', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });

    beforeAll(async () => {
      setting = scene();
      await run(`xenpt assignable add ${setting.sbdf}`);
      baseline = await readBaseline(setting.lab, [setting.sbdf]);
      // A small disk of their own for the records, so that nothing else is in trouble when it is full.
      await run('mkdir -p -m 700 /run/xenpt && mount -t tmpfs -o size=256k,mode=700 tmpfs /run/xenpt');
      guest = await setting.lab.createGuest({ name, paused: true, passthrough: 'sync_pt' });
      await guest.unpause();
      await guest.waitUntilReady();
    });
    afterAll(async () => {
      await guest?.destroy();
      await setting.lab.exec('umount -l /run/xenpt');
    });

    it('its disk: an attach is refused and leaves nothing', async () => {
      const { lab, sbdf } = setting;
      await run('! dd if=/dev/zero of=/run/xenpt/full bs=4k 2>/dev/null');
      const refusal = await refusalOf(lab, `xenpt attach ${name} ${sbdf}`);
      expect(refusal.message).toMatch(/ENOSPC|no space/);
      expect(refusal.exitCode).not.toBe(0);
      await run('rm /run/xenpt/full');
      const nodes = await lab.exec('xenstore-ls /libxl/pci; xenstore-ls /local/domain/0/backend/pci');
      expect(nodes.stdout).not.toMatch(new RegExp(`domid = "${guest.domid}"|frontend-id = "${guest.domid}"`));
      expect(await run('ls /run/xenpt')).not.toContain(`domain-${guest.domid}`);
      await run(`xenpt attach ${name} ${sbdf}`);
      await guestRun(guest, up, 180_000);
    });

    it('its disk, while the guest has the card: the guest goes on', async () => {
      await run('! dd if=/dev/zero of=/run/xenpt/full bs=4k 2>/dev/null');
      await guestRun(guest, goesOn, 180_000);
      await guestRun(
        guest,
        'ip link set eth0 down && ' + up.replace('ip addr add 10.0.2.15/24 dev eth0 && ', ''),
        180_000,
      );
      await run('rm /run/xenpt/full');
      await guestRun(guest, goesOn, 180_000);
    });

    it('xenstored, which stands still: the guest goes on', async () => {
      await run('kill -STOP $(pgrep -o xenstored)');
      try {
        await guestRun(guest, goesOn, 180_000);
      } finally {
        await run('kill -CONT $(pgrep -o xenstored)');
      }
      await guestRun(guest, goesOn, 180_000);
    });

    it("the guest's QEMU: a detach says so, takes the card without the guest, and Xen has it back", async () => {
      const { lab, sbdf } = setting;
      await run(`kill -KILL $(xenstore-read /local/domain/${guest.domid}/image/device-model-pid)`);
      const refusal = await refusalOf(lab, `xenpt detach ${name} ${sbdf}`);
      expect(refusal).toMatchObject({ code: 'XENPT_GUEST_KEEPS_DEVICE' });
      expect(refusal.next).toContain('--without-guest');
      await run(`xenpt detach ${name} ${sbdf} --without-guest --yes`);
      await guest.destroy();
      await expectBaseline(lab, guest.domid, baseline);
      await run(`xenpt assignable remove ${sbdf}`);
    });
  });
}
