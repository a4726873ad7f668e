import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { refusalOf } from '../../src/story/refusal.js';
import { setTheScene, type Setting } from '../../src/story/setting.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { surviveKills } from './restart.js';
import { tarballs } from './tarballs.js';

const name = 'served';
const unitPath = '/etc/systemd/system/xenpt-device-model@.service';
const unitOf = (domid: number) => `xenpt-device-model@${domid}.service`;

const up =
  'for n in $(seq 200); do [ -e /sys/class/net/eth0 ] && break; sleep 0.1; done; ' +
  'ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ' +
  'for n in $(seq 60); do ping -c 1 -W 1 10.0.2.2 >/dev/null && exit 0; done; exit 1';

/** Reads of the configuration space wait for the device model. */
const goesOn = 'sha256sum /sys/bus/pci/devices/0000:00:05.0/config && ping -c 3 -W 30 10.0.2.2';

/**
 * Device models as units of the systemd that has started dom0, with udev and Debian's own scripts for Xen's daemons; on
 * a machine of its own, tests in order.
 */
export function describeSystemd(profile: string, { kills }: { readonly kills: number }): void {
  describe(`${profile}, started by systemd`, () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 300_000 });
    const unit = async (domid = guest.domid): Promise<Readonly<Record<string, string>>> => {
      const properties = 'ActiveState,SubState,Result,MainPID,NRestarts,ControlGroup';
      const shown = await run(`systemctl show --property=${properties} ${unitOf(domid)}`);
      const pairs = shown.split('\n').map((line) => line.split('=') as [string, string]);
      return Object.fromEntries(pairs);
    };
    const modelPid = async (domid = guest.domid) =>
      (await run(`cat /run/xenpt/domain-${domid}/model.pid`)).split(' ')[0]?.trim();
    /** Another process serves than before; systemd has started it. */
    const replaced = async (before: string | undefined): Promise<void> => {
      const now = `systemctl show --property=MainPID --value ${unitOf(guest.domid)}`;
      await run(
        `for n in $(seq 600); do pid=$(${now}); [ $pid != 0 ] && [ $pid != ${before} ] && break; sleep 0.1; done`,
      );
      await guestRun(guest, goesOn, 180_000);
      expect(await unit()).toMatchObject({ ActiveState: 'active', MainPID: await modelPid() });
      expect(await modelPid()).not.toBe(before);
    };

    beforeAll(async () => {
      setting = await setTheScene({ profile: `${profile}+systemd`, tarballs });
      await run(`xenpt assignable add ${setting.sbdf}`);
      baseline = await readBaseline(setting.lab, [setting.sbdf]);
    });
    afterAll(() => setting?.close());

    it('setup shows the unit, installs it, and systemd knows it', async () => {
      expect(await run('ps -p 1 -o comm=')).toBe('systemd\n');
      const shown = await run('xenpt setup -N');
      expect(shown).toContain(unitPath);
      expect(shown).toMatch(/ExecStart=.*model-main/);
      expect((await setting.lab.exec(`ls ${unitPath}`)).exitCode).not.toBe(0);
      await run('xenpt setup --yes');
      expect(await run('systemctl cat xenpt-device-model@7.service')).toContain('Written by xenpt');
      expect(await run(`systemd-analyze verify --man=no ${unitPath} 2>&1`)).toBe('');
      expect(await run('xenpt setup')).toBe('everything is as it should be\n');
    });

    it("attach starts the guest's unit, whose process is the model; the guest's driver works", async () => {
      guest = await setting.lab.createGuest({ name, paused: true, passthrough: 'sync_pt', onReboot: 'restart' });
      await run(`xenpt attach ${name} ${setting.sbdf}@5`);
      expect(await run(`systemctl is-active ${unitOf(guest.domid)}`)).toBe('active\n');
      const { MainPID, ControlGroup } = await unit();
      expect(MainPID).toBe(await modelPid());
      expect(await run(`cat /proc/${MainPID}/cgroup`)).toBe(`0::${ControlGroup}\n`);
      await guest.unpause();
      await guestRun(guest, up, 240_000);
    });

    it('is not stopped by hand: systemctl says why not, and the guest goes on', async () => {
      for (const verb of ['stop', 'restart']) {
        const { exitCode, stderr } = await setting.lab.exec(`systemctl ${verb} ${unitOf(guest.domid)}`);
        expect(exitCode, verb).not.toBe(0);
        expect(stderr).toMatch(/refused|RefuseManualStop/i);
      }
      const refusal = await refusalOf(setting.lab, 'xenpt setup --remove --yes');
      expect(refusal).toMatchObject({ code: 'XENPT_OPTION_REFUSED' });
      await guestRun(guest, goesOn, 180_000);
      expect(await unit()).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
    });

    it.each(['KILL', 'TERM', 'SEGV'])('SIG%s of the model: systemd starts the one that goes on', async (signal) => {
      const before = await modelPid();
      await run(`kill -${signal} ${before}`);
      await replaced(before);
    });

    it(`goes on while its device model is killed ${kills} times, and upgraded`, () =>
      surviveKills(setting, guest, { kills, stops: false }));

    it('detach ends the unit cleanly; a running guest gets the card again by another start of it', async () => {
      const { sbdf } = setting;
      await run(`xenpt detach ${name} ${sbdf}`);
      expect(await unit()).toMatchObject({ ActiveState: 'inactive', Result: 'success', MainPID: '0' });
      await run(`xenpt attach ${name} ${sbdf}@5`);
      await guestRun(guest, up, 240_000);
      expect(await unit()).toMatchObject({ ActiveState: 'active', MainPID: await modelPid() });
    });

    it("a restart of the guest ends its unit and starts the next domain's", async () => {
      const before = guest.domid;
      await guestRun(guest, '(sleep 1; reboot -f) >/dev/null 2>&1 &', 60_000);
      guest = await guest.restarted();
      await guest.waitUntilReady();
      await guestRun(guest, up, 240_000);
      expect(await unit()).toMatchObject({ ActiveState: 'active', MainPID: await modelPid() });
      const isActive = `systemctl is-active -q ${unitOf(before)}`;
      await run(`for n in $(seq 300); do ${isActive} || exit 0; sleep 0.1; done; exit 1`);
      expect(await unit(before)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
    });

    it('xl destroy ends the unit cleanly, and everything is as it was', async () => {
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
      expect(await unit()).toMatchObject({ ActiveState: 'inactive', Result: 'success', MainPID: '0' });
      expect(await run("systemctl list-units --failed --no-legend 'xenpt*'")).toBe('');
    });

    it('setup --remove takes the unit away', async () => {
      await run('xenpt setup --remove --yes');
      expect((await setting.lab.exec(`ls ${unitPath}`)).exitCode).not.toBe(0);
      expect((await setting.lab.exec('systemctl cat xenpt-device-model@7.service')).exitCode).not.toBe(0);
      expect(await run('xenpt setup --remove')).toBe('everything is as it should be\n');
    });

    it('assignable add --persist: after a restart of the host, udev and the unit have the card taken', async () => {
      const { lab, sbdf } = setting;
      const driver = () => run(`basename $(readlink /sys/bus/pci/devices/${sbdf}/driver)`);
      await run(`xenpt assignable add ${sbdf} --persist --yes`);
      await lab.restart();
      expect(await driver()).toBe('pciback\n');
      expect(await run('systemctl is-active xenpt-assignments.service')).toBe('active\n');
      expect(await run('xl pci-assignable-list')).toContain(sbdf);
      await run(`xenpt assignable remove ${sbdf} --persist`);
      expect(await driver()).toBe('e1000e\n');
      expect((await lab.exec('systemctl cat xenpt-assignments.service')).exitCode).not.toBe(0);
    });
  });
}
