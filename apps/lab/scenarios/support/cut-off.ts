import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { Setting } from '../../src/story/setting.js';
import { readXenLedger } from '../../src/story/xen-ledger.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';

const name = 'halfway';

/** Writes down every point, before and after each step, or ends the process at the n-th as the kernel would. */
const hook = `
import { appendFileSync } from 'node:fs';
import process from 'node:process';
const { KILL_AT } = process.env;
let count = 0;
globalThis[Symbol.for('xenpt.faultPoint')] = (point) => {
  if (KILL_AT === undefined) appendFileSync('/tmp/points', point + '\\n');
  else if (count++ === Number(KILL_AT)) process.kill(process.pid, 'SIGKILL');
};
`;
const killed = 137;

type Verb = 'attach' | 'detach';

interface Seen {
  readonly index: number;
  readonly exitCode: number;
  readonly recovered: { readonly devices: readonly { readonly outcome: string; readonly sentence: string }[] };
  /** How often `xl pci-list` names the device; libxl's marker; our folder of the guest. */
  readonly listed: number;
  readonly marked: number;
  readonly folders: number;
  readonly assignable: number;
}

/** One line of JSON for each kill; what is whole afterwards is detached, and attached before a detach is killed. */
function script(verb: Verb, sbdf: string, domid: number, points: readonly number[]): string {
  const folder = `/run/xenpt/domain-${domid}`;
  return [
    `for n in ${points.join(' ')}; do`,
    ...(verb === 'detach' ? [`  xenpt attach ${name} ${sbdf} >/dev/null || exit`] : []),
    `  NODE_OPTIONS=--import=/tmp/points.mjs KILL_AT=$n xenpt ${verb} ${name} ${sbdf} >/dev/null 2>&1; code=$?`,
    '  recovered=$(xenpt recover --json | tr -d "\\n")',
    `  listed=$(xl pci-list ${name} | grep -c ${sbdf})`,
    `  marked=$(xenstore-ls /libxl/pci 2>/dev/null | grep -c 'domid = "${domid}"')`,
    `  folders=$(ls -d ${folder} 2>/dev/null | wc -l)`,
    `  [ $folders = 0 ] || xenpt detach ${name} ${sbdf} >/dev/null || exit`,
    `  assignable=$(xl pci-assignable-list | grep -c ${sbdf})`,
    '  printf \'{"index":%s,"exitCode":%s,"listed":%s,"marked":%s,"folders":%s,"assignable":%s,"recovered":%s}\\n\' \\',
    '    $n $code $listed $marked $folders $assignable "$recovered"',
    'done',
  ].join('\n');
}

/**
 * An attach and a detach that are killed before and after their steps, of a guest that runs; tests in order.
 *
 * @param options.stride 1: at every point there is; n: at the first and every n-th after it
 */
export function cutOffScenarios(scene: () => Setting, { stride }: { readonly stride: number }): void {
  describe('a command that is killed', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;
    let rights: unknown;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 1_700_000 });
    const pointsOf = async (verb: Verb): Promise<string[]> => {
      await run(`rm -f /tmp/points; NODE_OPTIONS=--import=/tmp/points.mjs xenpt ${verb} ${name} ${setting.sbdf}`);
      return (await run('cat /tmp/points')).trim().split('\n');
    };

    beforeAll(async () => {
      setting = scene();
      await setting.lab.writeFile('/tmp/points.mjs', hook);
      await run(`xenpt assignable add ${setting.sbdf}`);
      baseline = await readBaseline(setting.lab, [setting.sbdf]);
      guest = await setting.lab.createGuest({ name, paused: true, passthrough: 'sync_pt' });
      await guest.unpause();
      await guest.waitUntilReady();
      rights = (await readXenLedger(setting.lab, setting.sbdf)).rights.get(guest.domid);
    });
    afterAll(() => guest?.destroy());

    it.each(['attach', 'detach'] as const)('%s at any step: recover leaves all of it, or nothing', async (verb) => {
      const { lab, sbdf } = setting;
      if (verb === 'detach') await run(`xenpt attach ${name} ${sbdf}`);
      const points = await pointsOf(verb);
      if (verb === 'attach') await run(`xenpt detach ${name} ${sbdf}`);
      expect(points.length).toBeGreaterThan(20);
      const killedAt = [...points.keys()].filter((index) => index % stride === 0);
      const lines = (await run(script(verb, sbdf, guest.domid, killedAt))).split('\n').filter(Boolean);
      expect(lines).toHaveLength(killedAt.length);
      for (const line of lines) {
        const { index, exitCode, recovered, listed, marked, folders, assignable } = JSON.parse(line) as Seen;
        const point = points[index] ?? '';
        const outcomes = recovered.devices.map(({ outcome }) => outcome);
        expect([exitCode, assignable], line).toEqual([killed, 1]);
        expect(outcomes, line).not.toContain('failed');
        const isWhole = point === (verb === 'attach' ? 'record that it is attached:after' : points[0]);
        expect([point, listed, marked, folders]).toEqual([point, ...(isWhole ? [1, 1, 1] : [0, 0, 0])]);
        if (isWhole) expect(outcomes).toEqual([]);
      }
      console.table(
        lines
          .map((line) => JSON.parse(line) as Seen)
          .map(({ index, recovered }) => ({
            point: points[index],
            recovered: recovered.devices.map(({ outcome }) => outcome).join(', '),
          })),
      );
      const ledger = await readXenLedger(lab, sbdf);
      expect([ledger.rights.get(guest.domid), ledger.messageInterrupts]).toEqual([rights, []]);
      expect((await guest.exec('dmesg')).output).not.toMatch(/Oops|BUG:/);
    });

    it('leaves nothing behind in the end', async () => {
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
      await run(`xenpt assignable remove ${setting.sbdf}`);
    });
  });
}
