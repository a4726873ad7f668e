import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import type { Setting } from '../../src/story/setting.js';
import { readXenLedger } from '../../src/story/xen-ledger.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';

const name = 'again';
const slot = '7';

const ping =
  'ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ' +
  'for n in $(seq 60); do ping -c 1 -W 1 10.0.2.2 >/dev/null && exit 0; done; exit 1';

/** Two ways for a domain to end and another to begin in its place. */
const ways = [
  { title: 'the guest reboots', inGuest: '(sleep 1; reboot -f) >/dev/null 2>&1 &', inDom0: 'true' },
  { title: 'xl reboot', inGuest: 'true', inDom0: `xl reboot ${name}` },
] as const;

/**
 * A card that xenpt gave stays the guest's over a restart, in its slot; tests in order.
 *
 * @param options.byBoth restarts by `xl reboot` too
 */
export function rebootScenarios(
  scene: () => Setting,
  options: { readonly reboots: number; readonly byBoth: boolean },
): void {
  describe('a guest that restarts', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;
    const seconds: Record<string, string>[] = [];

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });

    beforeAll(async () => {
      setting = scene();
      await run(`xenpt assignable add ${setting.sbdf}`);
      baseline = await readBaseline(setting.lab, [setting.sbdf]);
      guest = await setting.lab.createGuest({ name, paused: true, passthrough: 'sync_pt', onReboot: 'restart' });
      await run(`xenpt attach ${name} ${setting.sbdf}@${slot} --rom off`);
      await guest.unpause();
      await guestRun(guest, ping, 180_000);
    });
    afterAll(async () => {
      await guest?.destroy();
      console.table(seconds);
    });

    /** From inside the guest, whose driver has the card afterwards. */
    async function restart(under: string): Promise<void> {
      await guestRun(guest, '(sleep 1; reboot -f) >/dev/null 2>&1 &', 60_000);
      guest = await guest.restarted(under);
      await guest.waitUntilReady();
      await guestRun(guest, ping, 180_000);
      const place = await guestRun(guest, 'basename $(readlink /sys/class/net/eth0/device)', 60_000);
      expect(place.trim()).toBe(`0000:00:0${slot}.0`);
    }

    for (let round = 0; round < options.reboots; round++) {
      for (const { title, inGuest, inDom0 } of options.byBoth ? ways : ways.slice(0, 1)) {
        it(`${title}, and its firmware finds the card where it was (${round + 1})`, async () => {
          const { lab, sbdf } = setting;
          const before = guest.domid;
          const started = performance.now();
          await guestRun(guest, inGuest, 60_000);
          await run(inDom0);
          guest = await guest.restarted();
          const created = performance.now();
          await guest.waitUntilReady();
          const up = performance.now();
          await guestRun(guest, ping, 180_000);
          seconds.push({
            way: title,
            domains: `${before} → ${guest.domid}`,
            toTheNewDomain: ((created - started) / 1000).toFixed(1),
            toItsShell: ((up - created) / 1000).toFixed(1),
          });
          const place = await guestRun(guest, 'basename $(readlink /sys/class/net/eth0/device)', 60_000);
          expect(place.trim()).toBe(`0000:00:0${slot}.0`);
          // Placed by the firmware, not by Linux, which says so when it has to.
          expect(await guestRun(guest, 'dmesg', 60_000)).not.toMatch(/00:07\.0: BAR \d.*(assigned|can't)|Oops|BUG:/);
          expect(await run(`xl pci-list ${name}`)).toContain(sbdf);
          expect((await readXenLedger(lab, sbdf)).owner).toBe(`d${guest.domid}`);
          expect(await run('xenpt list')).not.toMatch(/given to/);
          expect((await lab.exec('ls /run/xenpt/restart')).stdout.trim()).toBe('');
          expect(await run(`cat /var/log/xenpt/domain-${before}.log`)).toContain(
            `${sbdf} is attached to domain ${guest.domid} again`,
          );
        });
      }
    }

    it('is known by its new name after xl rename, and restarts under it', async () => {
      await run(`xl rename ${name} renamed`);
      expect(await run('xenpt devices renamed')).toContain(setting.sbdf);
      if (options.byBoth) await restart('renamed');
      expect(await run('xl pci-list renamed')).toContain(setting.sbdf);
      await run(`xl rename renamed ${name}`);
    });

    it("gets a device of QEMU's model again from xl, in its slot", async () => {
      const { lab, sbdf } = setting;
      await run(`xenpt detach ${name} ${sbdf}`);
      const attached = await lab.exec(`xenpt attach ${name} ${sbdf}@${slot} --model qemu`, { timeoutMs: 180_000 });
      expect(attached.exitCode).toBe(0);
      expect(attached.stderr).not.toMatch(/restarts/);
      await restart(name);
      expect(await run(`xl pci-list ${name}`)).toMatch(new RegExp(`0?${slot}\\.0\\s+${sbdf}`));
      expect(await run(`xenpt devices ${name}`)).toMatch(new RegExp(`${sbdf}.*qemu`));
      expect(await run('xenpt recover')).toContain('Nothing to recover');
      expect(await run('ls /run/xenpt')).not.toContain('domain-');
    });

    it('does not come back when it is destroyed, and everything is as it was', async () => {
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
      expect((await setting.lab.exec('ls /run/xenpt/restart')).stdout.trim()).toBe('');
      await run(`xenpt assignable remove ${setting.sbdf}`);
    });
  });
}
