import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun, parseInterrupts } from '../../src/story/card.js';
import { modelPid } from '../../src/story/release.js';
import type { Setting } from '../../src/story/setting.js';
import { readXenLedgers } from '../../src/story/xen-ledger.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { guestProgramScript } from './guest-program.js';
import { hostileScenarios } from './hostile.js';
import { labCards, type MessageWay, useCard } from './interrupt-cards.js';
import { interruptChangeScenarios } from './interrupt-changes.js';
import { interruptToolsScript } from './interrupt-tools.js';

export interface InterruptOptions {
  readonly way: MessageWay;
  /** What makes this guest take them in this way. */
  readonly guest: { readonly kernelArguments?: readonly string[]; readonly extraConfig?: readonly string[] };
  readonly trafficSeconds: number;
  /** How often each driver leaves and comes back. */
  readonly reloads: number;
  readonly reboots: number;
  /** Whether drivers change how they interrupt, and a table its place. */
  readonly changes: boolean;
  /** How long another guest does its worst beside this one; 0 for none. */
  readonly hammerMs: number;
}

const guestName = 'interrupts';

/** Of the process that serves a guest's three devices, after traffic. */
const mostResidentMiB = 60;

/** What a kernel says when an interrupt was lost, or of a driver that gave up on its own. */
const lostInterrupt =
  /NETDEV WATCHDOG|soft lockup|hard LOCKUP|nobody cared|polling mode|disabling MSI|Oops|BUG:|Call Trace/;

/** Every kind of interrupt in one guest with two processors, by its own drivers; tests in order. */
export function interruptScenarios(scene: () => Setting, options: InterruptOptions): void {
  describe(`interrupts, messages as ${options.way}`, () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });
    const inGuest = (command: string, timeoutMs = 180_000) => guestRun(guest, command, timeoutMs);
    const sbdfs = () => labCards.map(({ id }) => setting.lab.sbdf(id));

    /** A guest with all three, started; every start is from nothing, as after a reboot. */
    const start = async () => {
      guest = await setting.lab.createGuest({
        ...{ name: guestName, vcpus: 2, paused: true, passthrough: 'sync_pt' },
        modules: ['snd_hda_codec_generic', ...labCards.map(({ driver }) => driver)],
        script: [interruptToolsScript(), ...guestProgramScript('config-probe'), ''].join('\n'),
        ...options.guest,
      });
      for (const { id, slot } of labCards) await run(`xenpt attach ${guestName} ${setting.lab.sbdf(id)}@${slot}`);
      await guest.unpause();
      await guest.waitUntilReady();
    };

    const useAll = async () => {
      const counts: Record<string, number> = {};
      for (const card of labCards) Object.assign(counts, await useCard(guest, card, options.way));
      return counts;
    };

    /** How many messages Xen has for each function. */
    const messages = async () =>
      (await readXenLedgers(setting.lab, sbdfs())).map(({ messageInterrupts }) => messageInterrupts.length);
    const noMessages = labCards.map(() => 0);
    const allMessages = labCards.map((device) => device.messages);

    const expectNothingLost = async () => {
      const lines = (await inGuest('dmesg')).split('\n').filter((line) => lostInterrupt.test(line));
      expect(lines).toEqual([]);
    };

    beforeAll(async () => {
      setting = scene();
      // Two of them have no reset.
      await run(`xenpt assignable add --no-reset-ok ${sbdfs().join(' ')}`);
      baseline = await readBaseline(setting.lab, sbdfs());
      await start();
    });
    afterAll(async () => {
      await guest?.destroy();
      await run(`xenpt assignable remove ${sbdfs().join(' ')}`);
    });

    it('MSI-X, MSI and INTx, each by its driver', async () => {
      console.table(await useAll());
      expect(await messages()).toEqual(allMessages);
      expect(await inGuest('cat /proc/asound/card0/codec*')).toMatch(/Codec: QEMU|Vendor Id: 0x1af4/);
    });

    it(`of both network cards and the sound card at once, from processor to processor: none is lost`, async () => {
      const { trafficSeconds } = options;
      const before = await inGuest('cat /proc/interrupts');
      const said = await inGuest(`traffic ${trafficSeconds} 5 6`, trafficSeconds * 20_000 + 300_000);
      console.log(said);
      const pings = [...said.matchAll(/(\d+) packets transmitted, (\d+) packets received/g)];
      expect(pings).toHaveLength(2);
      for (const [line, sent, received] of pings) {
        expect(Number(sent), line).toBeGreaterThanOrEqual(trafficSeconds);
        expect(received, line).toBe(sent);
      }
      const after = await inGuest('cat /proc/interrupts');
      for (const name of ['eth0', 'eth1', 'snd_hda_intel']) {
        const sum = (text: string) => parseInterrupts(text, name).reduce((total, { count }) => total + count, 0);
        expect(sum(after), name).toBeGreaterThan(sum(before));
      }
      await expectNothingLost();
    });

    it(`take less than ${mostResidentMiB} MiB of dom0`, async () => {
      const status = await run(`cat /proc/$(${modelPid(guest.domid)})/status`);
      const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
      const [all, own, shared] = [mib('VmRSS'), mib('RssAnon'), mib('RssFile')];
      console.table({ 'device model, MiB': { all, own, shared } });
      expect(all).toBeLessThan(mostResidentMiB);
    });

    it(`come again ${options.reloads} times after a driver has left, which leaves nothing in Xen`, async () => {
      for (let round = 0; round < options.reloads; round++) {
        for (const { driver } of labCards) await inGuest(`rmmod ${driver}`);
        expect(await messages(), `round ${round}`).toEqual(noMessages);
        for (const { driver } of labCards) await inGuest(`load ${driver}`);
        await useAll();
        expect(await messages(), `round ${round}`).toEqual(allMessages);
      }
      await expectNothingLost();
    });

    if (options.reboots > 0) {
      it(`come again ${options.reboots} times after the guest has rebooted, and nothing of it was left`, async () => {
        for (let round = 0; round < options.reboots; round++) {
          // The lab's guests have on_reboot="destroy", so that there is a moment in which to look. What `xl` makes of
          // any other guest is the same: a new domain, of the same name, to which the devices have to be given again.
          await inGuest('(sleep 1; reboot -f) >/dev/null 2>&1 &');
          await run(
            `for n in $(seq 300); do xl domid ${guestName} >/dev/null 2>&1 || exit 0; sleep 0.2; done; exit 1`,
          );
          await expectBaseline(setting.lab, guest.domid, baseline);
          await guest.destroy();
          await start();
          await useAll();
          expect(await messages(), `round ${round}`).toEqual(allMessages);
        }
      });
    }

    if (options.changes) interruptChangeScenarios(() => guest, { way: options.way, messages });
    if (options.hammerMs > 0) hostileScenarios(scene, () => guest, { hammerMs: options.hammerMs });

    it('leave nothing behind when the guest is destroyed', async () => {
      await expectNothingLost();
      expect((await run(modelPid(guest.domid))).trim()).toMatch(/^\d+$/);
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });
  });
}
