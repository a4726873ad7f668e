import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { releasedWithin } from '../../src/story/release.js';
import type { Setting } from '../../src/story/setting.js';
import { readXenLedger, type XenLedger } from '../../src/story/xen-ledger.js';
import { compilerOptions } from './guest-program.js';

const source = fileURLToPath(new URL('accesses.c', import.meta.url));
const guestName = 'accessor';
/** The 82574L, whose MSI-X table is in BAR 3. */
const cardId = '0x10d3';
const tableFile = 'resource3';

/** security.md, figure 9. */
const mostLinesPerSecond = 10;
/** Resident memory of a guest's device model that is serving a card; Node alone takes 50 of it on Debian 13. */
const mostResidentKiB = 60 * 1024;

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
  readonly hammerMs: number;
  /** How much slower than under QEMU the middle one of many accesses may be: the rest is the noise of the machine. */
  readonly slowest: number;
}

/** Single accesses of a guest to a card, timed and then at random; tests in order. */
export function accessScenarios(scene: () => Setting, { measureMs, hammerMs, slowest }: AccessOptions): void {
  describe('accesses', () => {
    let setting: Setting;
    let guest: Guest;
    let device: string;
    let baseline: XenLedger;
    let ours: Timing[];

    const run = (command: string, timeoutMs = 180_000) => setting.lab.run(command, { timeoutMs });
    const pid = async () => (await run(`pgrep -f '[m]odel-main.*"domid":${guest.domid},'`)).trim();
    /** No driver: the accesses are the program's alone. */
    const start = async (created: Guest) => {
      guest = created;
      await guest.unpause();
      await guest.waitUntilReady();
      const find = `for d in /sys/bus/pci/devices/*; do grep -q ${cardId} $d/device && basename $d; done; true`;
      device = (await guestRun(guest, find, 60_000)).trim();
      await guestRun(guest, `echo 1 > /sys/bus/pci/devices/${device}/enable`, 60_000);
    };
    const program = (verb: string, ms: number, seed = '') => {
      const slot = Number.parseInt(device.slice(8, 10), 16);
      const command = `accesses ${verb} ${slot} ${ms} /sys/bus/pci/devices/${device}/${tableFile} ${seed}`;
      return guestRun(guest, command, 20 * ms + 120_000);
    };

    beforeAll(async () => {
      setting = scene();
      const { lab, sbdf } = setting;
      await run(`xenpt assignable add ${sbdf}`);
      baseline = await readXenLedger(lab, sbdf);
      const created = await lab.createGuest({
        ...{ name: guestName, paused: true, modules: [], script: accessProgramScript() },
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
      ours = parseTimings(await program('measure', measureMs));
      expect(ours).toHaveLength(6);
    });

    it('take no more memory of dom0 than said', async () => {
      const status = await run(`cat /proc/${await pid()}/status`);
      const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
      console.table({ 'device model': { VmRSS: kib('VmRSS'), RssAnon: kib('RssAnon'), RssFile: kib('RssFile') } });
      expect(kib('VmRSS')).toBeLessThan(mostResidentKiB);
    });

    it('at random harm nobody: the model lives, its log is short, dom0 keeps its network', async () => {
      const model = await pid();
      const pings = Math.round(hammerMs / 200);
      await run(pingScript(setting.lab.sbdf('nic1'), pings));
      const done = await program('random', hammerMs, String(Date.now() % 1_000_000));
      const [, configuration, table] = /^random (\d+) (\d+)$/m.exec(done) ?? [];
      const lines = linesBySecond(await run(`cat /var/log/xenpt/domain-${guest.domid}.log`));
      const ping = await run('while pgrep -x ping >/dev/null; do sleep 0.2; done; tail -n 3 /tmp/ping.log', 300_000);
      console.table({ random: { configuration, table, mostLines: Math.max(0, ...lines.values()) } });
      console.log(ping);
      expect(await pid()).toBe(model);
      expect(await run(`xenpt guest-view ${guestName} ${setting.sbdf}`)).toMatch(/vendor ?id.*8086/i);
      expect(Number(configuration) + Number(table)).toBeGreaterThan(0);
      expect(Math.max(0, ...lines.values())).toBeLessThanOrEqual(mostLinesPerSecond);
      expect(ping).toMatch(new RegExp(`${pings} packets transmitted, ${pings} received`));
    });

    it('leave nothing behind', async () => {
      const { lab, sbdf } = setting;
      await guest.destroy();
      await releasedWithin(lab, guest.domid, 60_000);
      const after = await readXenLedger(lab, sbdf);
      expect(after.messageInterrupts).toEqual(baseline.messageInterrupts);
      expect(after.rights).toEqual(baseline.rights);
      expect(after.owner).toBe(baseline.owner);
    });

    it("are answered under QEMU's model no faster, but for the noise", async () => {
      const { lab, sbdf } = setting;
      const script = accessProgramScript();
      await start(await lab.createGuest({ name: guestName, paused: true, modules: [], script, pci: [sbdf] }));
      const qemu = parseTimings(await program('measure', measureMs));
      console.table(compare(ours, qemu));
      const ratios = ours.map(({ p50Us }, index) => p50Us / (qemu[index]?.p50Us ?? 0));
      expect(ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]).toBeLessThan(slowest);
    });
  });
}

/** Puts the program into a guest's PATH. */
function accessProgramScript(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-accesses-'));
  try {
    const program = join(folder, 'accesses');
    execFileSync('gcc', [...compilerOptions, '-o', program, source], { stdio: 'pipe' });
    const encoded = readFileSync(program).toString('base64');
    return `echo ${encoded} | base64 -d >/bin/accesses\nchmod +x /bin/accesses\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** dom0's own card keeps pinging in the background, once it is up. */
function pingScript(sbdf: string, count: number): string {
  return [
    `name=$(ls /sys/bus/pci/devices/${sbdf}/net)`,
    'ip link set $name up; ip addr replace 10.0.2.16/24 dev $name',
    'for n in $(seq 60); do ping -c 1 -W 1 -I $name 10.0.2.2 >/dev/null && break; done',
    `ping -i 0.2 -c ${count} -W 10 -I $name 10.0.2.2 >/tmp/ping.log 2>&1 </dev/null &`,
  ].join('\n');
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

/** How many lines a log has of each second: they begin with a time as ISO 8601 writes it. */
function linesBySecond(log: string): Map<string, number> {
  const lines = new Map<string, number>();
  for (const [second] of log.matchAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/gm)) {
    lines.set(second, (lines.get(second) ?? 0) + 1);
  }
  return lines;
}
