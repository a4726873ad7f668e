import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { refusalOf } from '../../src/story/refusal.js';
import { type Setting, setTheScene } from '../../src/story/setting.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { interruptToolsScript } from './interrupt-tools.js';
import { tarballs } from './tarballs.js';

const name = 'bereft';
const lost = { id: 'nic0', slot: 5, address: 15 };
const kept = { id: 'nic2', slot: 6, address: 16 };

interface Shown {
  readonly function: {
    readonly verdict: string;
    readonly findings: readonly { readonly rule: string; readonly fix: string | null }[];
  };
}

/** A card that a guest uses is pulled out, and nobody was told; tests in order, on a machine of their own. */
export function describePulledOut(profile: string): void {
  describe(`${profile}, a card that is pulled out`, () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;
    const sbdfs = () => [lost, kept].map(({ id }) => setting.lab.sbdf(id));
    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });
    const inGuest = (command: string) => guestRun(guest, command, 180_000);

    beforeAll(async () => {
      setting = await setTheScene({ profile, tarballs });
      await run(`xenpt assignable add --no-reset-ok ${sbdfs().join(' ')}`);
      baseline = await readBaseline(setting.lab, sbdfs());
      guest = await setting.lab.createGuest({
        ...{ name, paused: true, passthrough: 'sync_pt' },
        ...{ modules: ['e1000e', '8139cp'], script: interruptToolsScript() },
      });
      for (const { id, slot } of [lost, kept]) await run(`xenpt attach ${name} ${setting.lab.sbdf(id)}@${slot}`);
      await guest.unpause();
      await guest.waitUntilReady();
      for (const { slot, address } of [lost, kept]) await inGuest(`bring-up ${slot} ${address}`);
    });
    afterAll(async () => {
      await guest?.destroy();
      await setting?.close();
    });

    it('reads all ones; its driver gives up, and the other card of the guest goes on', async () => {
      const [sbdf = ''] = sbdfs();
      const ethernet = (await inGuest(`ls /sys/bus/pci/devices/0000:00:0${lost.slot}.0/net`)).trim();
      await setting.lab.pullOut(lost.id);
      expect((await run(`setpci -s ${sbdf} 0.l`)).trim()).toBe('ffffffff');
      const config = `/sys/bus/pci/devices/0000:00:0${lost.slot}.0/config`;
      expect(await inGuest(`! ping -c 5 -W 2 -I ${ethernet} 10.0.2.2 && hexdump -n 4 -s 4 ${config}`)).toContain(
        'ffff',
      );
      const complaint = 'timed out|Hardware Error|Detected Hardware Unit Hang|PCIe link lost';
      await inGuest(`for n in $(seq 60); do dmesg | grep -E '${complaint}' && exit 0; sleep 1; done; exit 1`);
      await inGuest(`bring-up ${kept.slot} ${kept.address}`);
      const { late } = JSON.parse(await run(`xenpt stats ${name} --json`)) as { late: number };
      expect(late).toBe(0);
    });

    it('is shown as one that does not answer, with the way back', async () => {
      const [sbdf = ''] = sbdfs();
      const { function: shown } = JSON.parse(await run(`xenpt show ${sbdf} --json`)) as Shown;
      const finding = shown.findings.find(({ rule }) => rule === 'not-answering');
      expect(shown.verdict).toBe('not-assignable');
      expect(finding?.fix).toMatch(new RegExp(`^xenpt detach ${guest.domid} ${sbdf} && echo 1 > .*/remove && `));
    });

    it('is taken from the guest, which ejects it; the other one stays', async () => {
      const [sbdf = '', other = ''] = sbdfs();
      expect(await run(`xenpt detach ${name} ${sbdf} 2>&1`)).toMatch(/was pulled out.*rescan/);
      const left = await run(`xl pci-list ${name}`);
      expect([left.includes(sbdf), left.includes(other)]).toEqual([false, true]);
      await inGuest(`[ ! -e /sys/bus/pci/devices/0000:00:0${lost.slot}.0 ] && bring-up ${kept.slot} ${kept.address}`);
    });

    it('is not given to anybody again, and all else of the guest is taken back when it ends', async () => {
      const [sbdf = ''] = sbdfs();
      const refusal = await refusalOf(setting.lab, `xenpt attach ${name} ${sbdf}`);
      expect(refusal.message).toContain('all ones');
      expect(refusal.exitCode).not.toBe(0);
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });
  });
}
