import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun, pingCount } from '../../src/story/card.js';
import {
  createGuestForQemu,
  createGuestForXenpt,
  guestName,
  runModel,
  type ModelReport,
} from '../../src/story/models.js';
import { refusalOf } from '../../src/story/refusal.js';
import type { Setting } from '../../src/story/setting.js';
import { countMappings, readXenLedger, type XenLedger } from '../../src/story/xen-ledger.js';
import { expectBaseline } from './baseline.js';
import { attachWithOptions, useOptions } from './device-options.js';
import { refusalScenarios } from './refusals.js';
import { type Restarts, surviveKills } from './restart.js';
import { parseComparison } from '../../src/story/release.js';

/** The guest finds a new card by itself, or not at all. */
const pingFromNewCard =
  'for n in $(seq 200); do [ -e /sys/class/net/eth0 ] && break; sleep 0.1; done; ' +
  'ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ' +
  'for n in $(seq 60); do ping -c 1 -W 1 10.0.2.2 >/dev/null && exit 0; done; exit 1';

/** Of a test that does the same again and again: a round takes up to two minutes on a busy machine. */
const roundsTimeout = (rounds: number) => ({ timeout: 1_800_000 + rounds * 120_000 });

interface Fit {
  readonly fit: {
    readonly bars: readonly {
      readonly guestDevfn: number;
      readonly index: number;
      readonly address: string | null;
    }[];
  };
}

interface View {
  readonly view: { readonly bars: readonly { readonly index: number; readonly guestAddress: string }[] };
}

/**
 * The main job and its bad cases; tests in order.
 *
 * @param options.refuses whether the bad cases are among them
 * @param options.hotPlugs how often the card is given to a running guest and taken back
 * @param options.comparesWithQemu whether the same guest is started with QEMU's model too
 * @param options.kills how often the device model is killed while the guest uses the card; 0: not at all
 */
export function passthroughScenarios(
  scene: () => Setting,
  options: { readonly refuses: boolean; readonly hotPlugs: number; readonly comparesWithQemu: boolean } & Restarts,
): void {
  describe('passthrough', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: XenLedger;
    let ours: ModelReport;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });
    const json = async (command: string): Promise<unknown> => JSON.parse(await run(`${command} --json`));

    beforeAll(() => {
      setting = scene();
    });

    it('lists the card with its dom0 driver, and makes it assignable', async () => {
      const { sbdf } = setting;
      expect(await run('xenpt list')).toMatch(new RegExp(`${sbdf}.*82574L.*e1000e`));
      await run(`xenpt assignable add ${sbdf}`);
      expect(await run('xl pci-assignable-list')).toContain(sbdf);
      expect(await run('xenpt assignable list')).toContain(sbdf);
      baseline = await readXenLedger(setting.lab, sbdf);
      expect(baseline.owner).toMatch(/DomIO|d32753|d\[IO\]/);
    });

    if (options.refuses) refusalScenarios(() => setting);

    it('attaches the card to a paused guest', async () => {
      guest = await createGuestForXenpt(setting);
      const { lab, sbdf } = setting;
      await run(`xenpt attach ${guestName} ${sbdf}@5`);
      const rights = (await readXenLedger(lab, sbdf)).rights.get(guest.domid);
      expect(rights?.memory).not.toBe('');
      expect((await readXenLedger(lab, sbdf)).owner).toBe(`d${guest.domid}`);
    });

    it("is driven by the guest's own driver with MSI-X: packets, and a file by DMA through the IOMMU", async () => {
      ours = await runModel(setting, guest, 'xenpt');
      expect(ours.card.driver).toBe('e1000e');
      expect(ours.card.guestSbdf).toBe('0000:00:05.0');
      expect(ours.card.interrupts).toHaveLength(3);
      for (const { count, name, controller } of ours.card.interrupts) {
        expect(count, name).toBeGreaterThan(0);
        expect(controller).toMatch(/msi-?x/i);
      }
      expect(ours.card.pings).toEqual({ sent: pingCount, received: pingCount });
      expect(ours.card.sha256).toBe(setting.payload.sha256);
      expect(ours.mapRounds.added).toBeGreaterThan(0);
      expect(ours.mapRounds.added).toBeLessThanOrEqual(2);
    });

    it('xl and xenpt name the same owner', async () => {
      const { sbdf } = setting;
      expect(await run(`xl pci-list ${guestName}`)).toMatch(new RegExp(`05\\.0\\s+${sbdf}`));
      const line = (await run('xenpt list')).split('\n').find((text) => text.includes(sbdf));
      expect(line).toMatch(new RegExp(`\\b${guestName}\\b`));
    });

    it('shows what the guest sees beside what the host has', async () => {
      const text = await run(`xenpt guest-view ${guestName} ${setting.sbdf}`);
      expect(text).toMatch(/vendor ?id.*8086.*8086/i);
      const rows = parseComparison(await json(`xenpt guest-view ${guestName} ${setting.sbdf}`));
      const bar0 = rows.find(({ offset }) => offset === 0x10);
      const host = await run(`setpci -s ${setting.sbdf} 10.l`);
      expect(bar0?.host).toBe(Number.parseInt(host, 16));
      expect(bar0?.guest).not.toBe(bar0?.host);
      const inGuest = await guest.exec(
        'hexdump -s 16 -n 4 -e \'1/4 "%08x"\' /sys/bus/pci/devices/0000:00:05.0/config',
      );
      expect(bar0?.guest).toBe(Number.parseInt(inGuest.output, 16));
    });

    it('placed the BARs where xenpt fit said it would', async () => {
      const { bars } = ((await json(`xenpt fit ${setting.sbdf}@5 --headless --memory 256`)) as Fit).fit;
      const { view } = (await json(`xenpt guest-view ${guestName} ${setting.sbdf}`)) as View;
      const predicted = bars.filter(({ guestDevfn, index }) => guestDevfn === 5 << 3 && index !== 6);
      expect(predicted.length).toBeGreaterThan(0);
      expect(predicted.map(({ index, address }) => [index, address]).sort()).toEqual(
        view.bars.filter(({ index }) => index !== 6).map(({ index, guestAddress }) => [index, guestAddress]),
      );
    });

    it('refuses to give it away twice', async () => {
      const { lab, sbdf } = setting;
      const again = await refusalOf(lab, `xenpt attach ${guestName} ${sbdf}`);
      expect(again).toMatchObject({ code: 'XENPT_ALREADY_ATTACHED' });
      const other = await lab.createGuest({ name: 'other', paused: true, passthrough: 'sync_pt' });
      try {
        const refusal = await refusalOf(lab, `xenpt attach other ${sbdf}`);
        expect(refusal).toMatchObject({ code: 'XENPT_DEVICE_IN_USE', exitCode: 5 });
        expect(refusal.message).toContain(guestName);
        expect(refusal.next).toContain('xenpt detach');
      } finally {
        await other.destroy();
      }
    });

    it('a guest with a device has no dirty log, and is told what to do', async () => {
      const refusal = await refusalOf(setting.lab, `xenpt dirty-rate ${guestName} --samples 1`);
      expect(refusal).toMatchObject({ code: 'XENPT_DOMAIN_HAS_DEVICE', exitCode: 4 });
      expect(refusal.next).toContain('xenpt detach');
    });

    if (options.kills > 0) {
      it(`goes on while its device model is killed ${options.kills} times`, roundsTimeout(options.kills), () =>
        surviveKills(setting, guest, options),
      );
    }

    it('after xl destroy, mappings, interrupts, rights and assignment are back at their baseline', async () => {
      const { lab, sbdf } = setting;
      await guest.destroy();
      await expectBaseline(lab, guest.domid, { sbdfs: [sbdf], ledgers: [baseline] });
    });

    describe('a guest that runs', () => {
      let living: Guest;
      let rights: unknown;
      beforeAll(async () => {
        living = await createGuestForXenpt(setting);
        rights = (await readXenLedger(setting.lab, setting.sbdf)).rights.get(living.domid);
        await attachWithOptions(setting, guestName);
        await living.unpause();
        await living.waitUntilReady();
      });
      afterAll(() => living?.destroy());

      it('has a field opened, and a ROM from a file', () => useOptions(setting, living));

      it('gives the card back that it was started with, and Xen is as it was', async () => {
        const { lab, sbdf } = setting;
        await run(`xenpt detach ${guestName} ${sbdf}`);
        const after = await readXenLedger(lab, sbdf);
        expect(after.rights.get(living.domid)).toEqual(rights);
        expect(after.owner).toBe(baseline.owner);
        expect(after.messageInterrupts).toEqual([]);
        const bar = (await run(`head -n 1 /sys/bus/pci/devices/${sbdf}/resource`)).split(' ')[0] ?? '0x0';
        const mappings = countMappings(lab.serialText(), living.domid, BigInt(bar) >> 12n);
        expect(mappings.added).toBeGreaterThan(0);
        expect(mappings.removed).toBe(mappings.added);
        expect((await living.exec('echo alive')).output).toContain('alive');
      });

      it('has let go of it', async () => {
        expect((await living.exec('ls /sys/bus/pci/devices')).output).not.toContain('00:05.0');
      });

      const title = `is told of the card, drives it and gives it back, ${options.hotPlugs} times`;
      it(title, roundsTimeout(options.hotPlugs), async () => {
        const { lab, sbdf } = setting;
        const seconds: { plug: string; ping: string; unplug: string }[] = [];
        for (let round = 0; round < options.hotPlugs; round++) {
          const times = [performance.now()];
          expect(await json(`xenpt attach ${guestName} ${sbdf}`)).toMatchObject({
            attached: { running: true, announced: true, guestSbdf: '0000:00:05.0', warnings: [] },
          });
          times.push(performance.now());
          await guestRun(living, pingFromNewCard, 180_000);
          times.push(performance.now());
          expect(await json(`xenpt detach ${guestName} ${sbdf}`)).toMatchObject({
            detached: { complete: true, modelStopped: true, notes: [] },
          });
          times.push(performance.now());
          const [plug = '', ping = '', unplug = ''] = times
            .slice(1)
            .map((at, index) => ((at - (times[index] ?? at)) / 1000).toFixed(1));
          seconds.push({ plug, ping, unplug });
          expect((await living.exec('ls /sys/bus/pci/devices')).output).not.toContain('00:05.0');
          const ledger = await readXenLedger(lab, sbdf);
          expect(ledger.rights.get(living.domid)).toEqual(rights);
          expect(ledger.owner).toBe(baseline.owner);
          expect(ledger.messageInterrupts).toEqual([]);
        }
        console.table(seconds);
        expect((await living.exec('dmesg')).output).not.toMatch(/Oops|BUG:|WARNING:|Call Trace|NETDEV WATCHDOG/);
      });
    });

    if (options.comparesWithQemu) {
      it("the same guest with QEMU's model, for comparison", async () => {
        const other = await createGuestForQemu(setting);
        const qemu = await runModel(setting, other, 'QEMU');
        await other.destroy();
        expect(qemu.card.pings.received).toBe(pingCount);
        expect(qemu.mapRounds.added).toBeGreaterThan(2);
        console.table(
          [ours, qemu].map(({ model, secondsToShell, mapRounds, card }) => ({
            model,
            secondsToShell,
            mapRounds: mapRounds.added,
            interrupts: card.interrupts.map(({ count }) => count).join('/'),
            pings: card.pings.received,
          })),
        );
      });
    }

    it("assignable remove gives the card back to dom0's driver, and it pings from dom0", async () => {
      const { sbdf } = setting;
      await run(`xenpt assignable remove ${sbdf}`);
      expect(await run(`basename $(readlink /sys/bus/pci/devices/${sbdf}/driver)`)).toBe('e1000e\n');
      await run(
        `name=$(ls /sys/bus/pci/devices/${sbdf}/net) && ip link set $name up && ip addr add 10.0.2.15/24 dev $name` +
          ' && for n in $(seq 60); do ping -c 1 -W 1 -I $name 10.0.2.2 && exit 0; done; exit 1',
      );
      // Its router has announced itself by then: a card with a default route is not given away without a word more.
      await run(`ip link set $(ls /sys/bus/pci/devices/${sbdf}/net) down`);
      expect((await readXenLedger(setting.lab, sbdf)).owner).toBe('d0');
    });
  });
}
