import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { refusalOf } from '../../src/story/refusal.js';
import type { Setting } from '../../src/story/setting.js';
import { readXenLedger } from '../../src/story/xen-ledger.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';

const name = 'plugged';

/** The guest's own driver has the card. */
const bound = 'for n in $(seq 1200); do [ -e /sys/class/net/eth0/device/driver ] && exit 0; sleep 0.05; done; exit 1';

const ping =
  'ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ' +
  'for n in $(seq 60); do ping -c 1 -W 1 10.0.2.2 >/dev/null && exit 0; done; exit 1';

interface Way {
  readonly title: string;
  /** As `xenpt devices` names it. */
  readonly model: 'qemu' | 'xenpt';
  readonly attach: (sbdf: string) => string;
  readonly detach: (sbdf: string) => string;
}

const alone = 'xenpt attach';
/** The guest has another device of ours already, and with it a device model. */
const second = 'xenpt attach, a second device';

const ways: readonly Way[] = [
  {
    title: 'xl pci-attach',
    model: 'qemu',
    attach: (sbdf) => `xl pci-attach ${name} ${sbdf}`,
    detach: (sbdf) => `xl pci-detach ${name} ${sbdf}`,
  },
  {
    title: 'xenpt attach --model qemu',
    model: 'qemu',
    attach: (sbdf) => `xenpt attach ${name} ${sbdf} --model qemu`,
    detach: (sbdf) => `xenpt detach ${name} ${sbdf}`,
  },
  ...[alone, second].map((title): Way => ({
    title,
    model: 'xenpt',
    attach: (sbdf) => `xenpt attach ${name} ${sbdf}`,
    detach: (sbdf) => `xenpt detach ${name} ${sbdf}`,
  })),
];

/** What every program of ours takes first, on this host and this day. */
const nodeStart = 'at=$(date +%s%N); node -e 0; echo $((($(date +%s%N) - at) / 1000000))';

interface Times {
  readonly way: string;
  readonly commandMs: number;
  readonly toItsDriverMs: number;
  readonly detachMs: number;
  readonly nodeStartMs: number;
}

function printTimes(times: readonly Times[]): void {
  const seconds = (durationMs: number) => (durationMs / 1000).toFixed(1);
  console.table(
    times.map(({ way, commandMs, toItsDriverMs, detachMs, nodeStartMs }) => ({
      way,
      command: seconds(commandMs),
      toItsDriver: seconds(toItsDriverMs),
      nodeStart: seconds(nodeStartMs),
      nodeStarts: (toItsDriverMs / nodeStartMs).toFixed(1),
      detach: seconds(detachMs),
    })),
  );
}

/** One running guest gets the same card by each of the ways there are; tests in order. */
export function bothModelScenarios(scene: () => Setting, options: { readonly rounds: number }): void {
  describe('hot-plug by either model', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;
    let rights: unknown;
    const times: Times[] = [];

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });

    beforeAll(async () => {
      setting = scene();
      await run(`xenpt assignable add ${setting.sbdf}`);
      baseline = await readBaseline(setting.lab, [setting.sbdf]);
      guest = await setting.lab.createGuest({ name, paused: true, passthrough: 'sync_pt' });
      await guest.unpause();
      await guest.waitUntilReady();
      rights = (await readXenLedger(setting.lab, setting.sbdf)).rights.get(guest.domid);
    });
    afterAll(async () => {
      printTimes(times);
      await guest?.destroy();
    });

    /** `xl pci-detach` leaves memory and ports permitted (seen on 4.17, and no affair of ours). */
    async function expectFree(by: 'xenpt' | 'xl' = 'xenpt'): Promise<void> {
      const { lab, sbdf } = setting;
      const ledger = await readXenLedger(lab, sbdf);
      if (by === 'xenpt') expect(ledger.rights.get(guest.domid)).toEqual(rights);
      expect(ledger.owner).toBe(baseline.ledgers[0]?.owner);
      expect(ledger.messageInterrupts).toEqual([]);
      expect((await run(`xl pci-list ${name}`)).includes(sbdf)).toBe(false);
    }

    for (let round = 0; round < options.rounds; round++) {
      for (const { title, model, attach, detach } of ways) {
        it(`${title}: its driver has the card, and gives it back (${round + 1})`, async () => {
          const { sbdf } = setting;
          const first = setting.lab.sbdf('sound');
          const isSecond = title === second;
          if (isSecond) await run(`xenpt assignable add ${first} --no-reset-ok && xenpt attach ${name} ${first}`);
          const nodeStartMs = Number(await run(nodeStart));
          const started = performance.now();
          await run(attach(sbdf));
          const attached = performance.now();
          await guestRun(guest, bound, 120_000);
          const ready = performance.now();
          expect(await run(`xl pci-list ${name}`)).toContain(sbdf);
          expect(await run(`xenpt devices ${name}`)).toMatch(new RegExp(`${sbdf}.*${model}`));
          if (round === 0) await guestRun(guest, ping, 180_000);
          const leaving = performance.now();
          await run(detach(sbdf));
          const detached = performance.now();
          times.push({
            way: title,
            commandMs: attached - started,
            toItsDriverMs: ready - started,
            detachMs: detached - leaving,
            nodeStartMs,
          });
          if (isSecond) await run(`xenpt detach ${name} ${first} && xenpt assignable remove ${first}`);
          await expectFree(title.startsWith('xl') ? 'xl' : 'xenpt');
        });
      }
    }

    it('a device model that is there already is not waited for', () => {
      const fastest = (title: string) =>
        Math.min(...times.filter(({ way }) => way === title).map(({ toItsDriverMs }) => toItsDriverMs));
      expect(fastest(second)).toBeLessThan(fastest(alone));
    });

    it('what xl has detached is not ours any more, and QEMU is put right when it refuses', async () => {
      const { lab, sbdf } = setting;
      await run(`xenpt attach ${name} ${sbdf} --model qemu`);
      await guestRun(guest, bound, 120_000);
      await run(`xl pci-detach ${name} ${sbdf}`);
      expect(await refusalOf(lab, `xenpt detach ${name} ${sbdf}`)).toMatchObject({ code: 'XENPT_NOT_ATTACHED' });
      await expectFree('xl');
      expect(await refusalOf(lab, `xenpt attach ${name} ${sbdf} --model qemu --rom off`)).toMatchObject({
        code: 'XENPT_OPTION_REFUSED',
      });
    });

    it('is taken from a guest that does not answer, out of its QEMU too', async () => {
      const { sbdf } = setting;
      await run(`xenpt attach ${name} ${sbdf} --model qemu`);
      await guestRun(guest, bound, 120_000);
      await run(`xl pause ${name} && xenpt detach ${name} ${sbdf} --without-guest --yes && xl unpause ${name}`);
      await expectFree();
      expect((await guest.exec('echo alive')).output).toContain('alive');
    });

    it('leaves nothing behind when the guest is destroyed with one', async () => {
      const { sbdf } = setting;
      await run(`xenpt attach ${name} ${sbdf} --model qemu`);
      await run(`xl destroy ${name}`);
      const ledger = await readXenLedger(setting.lab, sbdf);
      expect(ledger.owner).toBe(baseline.ledgers[0]?.owner);
      expect(ledger.messageInterrupts).toEqual([]);
      expect(await run('xenpt recover')).toContain('Nothing to recover');
      await expectBaseline(setting.lab, guest.domid, baseline);
      await run(`xenpt assignable remove ${sbdf}`);
    });
  });
}
