import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import type { Setting } from '../../src/story/setting.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { guestProgramScript } from './guest-program.js';

const guestName = 'accessor';
/** Of the card that our model serves; QEMU's has the other. */
const ourSlot = 0x0a;
/** The 82574L, whose MSI-X table is in BAR 3. */
const cardId = '0x10d3';
const tableFile = 'resource3';
const kinds = 6;

interface Timing {
  readonly kind: string;
  readonly count: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

export interface AccessOptions {
  /** For each kind of access. */
  readonly measureMs: number;
  /** How often. A stall of the machine that meets one model and not the other moves one pass, and not the median. */
  readonly passes: number;
  /**
   * The least of ours / QEMU's accesses per second, in a loop that makes each kind in turn and of each kind alone, and
   * the most of their slowest in a thousand; medians.
   */
  readonly goals: { readonly loop: number; readonly kind: number; readonly p999: number };
}

/** One guest with two cards of a kind, one served by our model and one by QEMU's, and accesses to both by turns. */
export function accessScenarios(scene: () => Setting, { measureMs, passes, goals }: AccessOptions): void {
  describe('accesses', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;
    let slots: readonly number[];

    const run = (command: string, timeoutMs = 180_000) => setting.lab.run(command, { timeoutMs });
    const sbdfs = () => [setting.lab.sbdf('nic0'), setting.lab.sbdf('nic1')];
    const pathOf = (slot: number) => `/sys/bus/pci/devices/0000:00:${slot.toString(16).padStart(2, '0')}.0`;

    beforeAll(async () => {
      setting = scene();
      const [ours, qemus] = sbdfs() as [string, string];
      await run(`xenpt assignable add ${ours} ${qemus}`);
      baseline = await readBaseline(setting.lab, sbdfs());
      guest = await setting.lab.createGuest({
        // No driver: the accesses are the program's alone.
        ...{ name: guestName, paused: true, modules: [], pci: [qemus] },
        script: [...guestProgramScript('accesses'), ''].join('\n'),
      });
      await run(`xenpt attach ${guestName} ${ours}@${ourSlot.toString(16)}`);
      await guest.unpause();
      await guest.waitUntilReady();
      const enable = `grep -q ${cardId} $d/device && echo 1 >$d/enable && basename $d`;
      const find = `for d in /sys/bus/pci/devices/*; do ${enable}; done; true`;
      const found = (await guestRun(guest, find, 60_000)).trim().split(/\s+/);
      slots = found
        .map((name) => Number.parseInt(name.slice(8, 10), 16))
        .sort((a, b) => Number(b === ourSlot) - Number(a === ourSlot));
      expect(slots[0]).toBe(ourSlot);
      expect(slots).toHaveLength(2);
    });
    afterAll(async () => {
      await guest?.destroy();
      await run(`xenpt assignable remove ${sbdfs().join(' ')}`);
    });

    it('are answered as fast as by QEMU, and the slowest in a thousand not much slower', async () => {
      const [ours = 0, qemus = 0] = slots;
      const tables = [ours, qemus].map((slot) => `${pathOf(slot)}/${tableFile}`);
      const all: Pair[][] = [];
      for (let pass = 0; pass < passes; pass++) {
        const command = `accesses measure ${ours} ${measureMs} ${tables[0]} ${qemus} ${tables[1]}`;
        const timings = parseTimings(await guestRun(guest, command, 20 * kinds * measureMs + 120_000));
        expect(timings).toHaveLength(2 * kinds);
        all.push(timings.flatMap((timing, index) => (index % 2 ? [] : [[timing, timings[index + 1] ?? timing]])));
      }
      const compared = (all[0] ?? []).map((_, index) => compare(all.map((pass) => pass[index] as Pair)));
      const loop = median(all.map(loopRatio));
      console.table([...compared.map(({ row }) => row), { kind: 'each in turn', ratio: loop.toFixed(2) }]);
      expect.soft(loop, "each in turn, accesses per second of QEMU's").toBeGreaterThanOrEqual(goals.loop);
      for (const { row, perSecond, p999 } of compared) {
        expect.soft(perSecond, `${row.kind}, accesses per second of QEMU's`).toBeGreaterThanOrEqual(goals.kind);
        expect.soft(p999, `${row.kind}, slowest in a thousand of QEMU's`).toBeLessThanOrEqual(goals.p999);
      }
    });

    it('leave nothing behind', async () => {
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });
  });
}

/** The same kind of access, in one pass, by our model and by QEMU's. */
type Pair = readonly [Timing, Timing];

function parseTimings(text: string): Timing[] {
  return [...text.matchAll(/^([a-z-]+) (\d+) (\d+) (\d+) (\d+) (\d+)$/gm)].map(([, kind = '', ...numbers]) => {
    const [count = 0, totalUs = 1, p50 = 0, p99 = 0, p999 = 0] = numbers.map(Number);
    const us = (ns: number) => Math.round(ns / 1000);
    const perSecond = Math.round((count * 1e6) / totalUs);
    return { kind, count, perSecond, p50Us: us(p50), p99Us: us(p99), p999Us: us(p999) };
  });
}

function compare(pairs: readonly Pair[]) {
  const of = (which: 0 | 1, name: Exclude<keyof Timing, 'kind'>) => median(pairs.map((pair) => pair[which][name]));
  const both = (name: Exclude<keyof Timing, 'kind'>) => `${of(0, name)} / ${of(1, name)}`;
  const ratio = (name: 'perSecond' | 'p999Us') => median(pairs.map(([ours, qemus]) => ours[name] / qemus[name]));
  const [perSecond, p999] = [ratio('perSecond'), ratio('p999Us')];
  const row = {
    kind: pairs[0]?.[0].kind ?? '',
    ...{ 'per s, ours / QEMU': both('perSecond'), ratio: perSecond.toFixed(2), p50Us: both('p50Us') },
    ...{ p99Us: both('p99Us'), p999Us: both('p999Us'), 'p999 ratio': p999.toFixed(2) },
  };
  return { row, perSecond, p999 };
}

/** Of accesses per second, when each kind is made as often as any other. */
function loopRatio(pairs: readonly Pair[]): number {
  const seconds = (which: 0 | 1) => pairs.reduce((sum, pair) => sum + 1 / pair[which].perSecond, 0);
  return seconds(1) / seconds(0);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}
