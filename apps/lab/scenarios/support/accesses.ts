import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import type { Setting } from '../../src/story/setting.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { guestProgramScript } from './guest-program.js';

const guestName = 'accessor';
/** The 82574L, whose MSI-X table is in BAR 3. */
const cardId = '0x10d3';
const tableFile = 'resource3';

interface Timing {
  readonly kind: string;
  readonly count: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

export interface AccessOptions {
  /** For each kind of access, under each model. */
  readonly measureMs: number;
  /** How much slower than under QEMU the middle access of each kind may be: the rest is the noise of the machine. */
  readonly slowest: number;
}

/** Single accesses of a guest to a card, timed; tests in order. */
export function accessScenarios(scene: () => Setting, { measureMs, slowest }: AccessOptions): void {
  describe('accesses', () => {
    let setting: Setting;
    let guest: Guest;
    let device: string;
    let baseline: Baseline;
    let ours: Timing[];
    let script: string;

    const run = (command: string, timeoutMs = 180_000) => setting.lab.run(command, { timeoutMs });
    /** No driver: the accesses are the program's alone. */
    const start = async (created: Guest) => {
      guest = created;
      await guest.unpause();
      await guest.waitUntilReady();
      const find = `for d in /sys/bus/pci/devices/*; do grep -q ${cardId} $d/device && basename $d; done; true`;
      device = (await guestRun(guest, find, 60_000)).trim();
      await guestRun(guest, `echo 1 > /sys/bus/pci/devices/${device}/enable`, 60_000);
    };
    const measure = async () => {
      const slot = Number.parseInt(device.slice(8, 10), 16);
      const command = `accesses measure ${slot} ${measureMs} /sys/bus/pci/devices/${device}/${tableFile}`;
      return parseTimings(await guestRun(guest, command, 20 * measureMs + 120_000));
    };

    beforeAll(async () => {
      setting = scene();
      const { lab, sbdf } = setting;
      script = [...guestProgramScript('accesses'), ''].join('\n');
      await run(`xenpt assignable add ${sbdf}`);
      baseline = await readBaseline(lab, [sbdf]);
      const created = await lab.createGuest({
        ...{ name: guestName, paused: true, modules: [], script },
        passthrough: 'sync_pt',
      });
      await run(`xenpt attach ${guestName} ${sbdf}@5`);
      await start(created);
    });
    afterAll(async () => {
      await guest?.destroy();
      await run(`xenpt assignable remove ${setting.sbdf}`);
    });

    it('are answered under our model', async () => {
      ours = await measure();
      expect(ours).toHaveLength(6);
    });

    it('leave nothing behind', async () => {
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });

    it("are answered under QEMU's model no faster, but for the noise", async () => {
      const { lab, sbdf } = setting;
      await start(await lab.createGuest({ name: guestName, paused: true, modules: [], script, pci: [sbdf] }));
      const qemu = await measure();
      console.table(compare(ours, qemu));
      for (const [index, { kind, p50Us }] of ours.entries()) {
        expect(p50Us / (qemu[index]?.p50Us ?? 0), kind).toBeLessThan(slowest);
      }
    });
  });
}

function parseTimings(text: string): Timing[] {
  return [...text.matchAll(/^([a-z-]+) (\d+) (\d+) (\d+) (\d+) (\d+)$/gm)].map(([, kind = '', ...numbers]) => {
    const [count = 0, totalUs = 1, p50 = 0, p99 = 0, p999 = 0] = numbers.map(Number);
    const us = (ns: number) => Math.round(ns / 1000);
    const perSecond = Math.round((count * 1e6) / totalUs);
    return { kind, count, perSecond, p50Us: us(p50), p99Us: us(p99), p999Us: us(p999) };
  });
}

function compare(ours: readonly Timing[], qemu: readonly Timing[]): object[] {
  return ours.map((timing, index) => {
    const other = qemu[index];
    const pair = (name: Exclude<keyof Timing, 'kind'>) => `${timing[name]} / ${other?.[name] ?? '-'}`;
    return {
      'ours / QEMU': timing.kind,
      perSecond: pair('perSecond'),
      p50Us: pair('p50Us'),
      p99Us: pair('p99Us'),
      p999Us: pair('p999Us'),
    };
  });
}
