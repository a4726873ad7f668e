import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { modelPid, parseComparison } from '../../src/story/release.js';
import type { Setting } from '../../src/story/setting.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { guestProgramScript } from './guest-program.js';

const guestName = 'hostile';
const slot = 5;
/** The 82574L has its MSI-X table in BAR 3. */
const device = `/sys/bus/pci/devices/0000:00:0${slot}.0`;

/** security.md, figure 9. */
const mostLinesPerSecond = 10;

/**
 * A guest whose only program does random accesses to a card of its own, as fast as it can, beside another guest that
 * has one too; tests in order.
 *
 * @param bystander has a network card in its slot 5, and the tools of interruptToolsScript
 */
export function hostileScenarios(
  scene: () => Setting,
  bystander: () => Guest,
  { hammerMs }: { readonly hammerMs: number },
): void {
  describe('beside a hostile guest', () => {
    let setting: Setting;
    let guest: Guest;
    let baseline: Baseline;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });
    const pid = async () => (await run(modelPid(guest.domid))).trim();

    beforeAll(async () => {
      setting = scene();
      const { lab } = setting;
      const sbdf = lab.sbdf('nic1');
      await run(`xenpt assignable add ${sbdf}`);
      await guestRun(bystander(), 'bring-up 5 15', 180_000);
      baseline = await readBaseline(lab, [sbdf]);
      guest = await lab.createGuest({
        ...{ name: guestName, paused: true, passthrough: 'sync_pt' },
        // No driver: the accesses are the program's alone.
        ...{ modules: [], script: [...guestProgramScript('accesses'), ''].join('\n') },
      });
      await run(`xenpt attach ${guestName} ${sbdf}@${slot}`);
      await guest.unpause();
      await guest.waitUntilReady();
      await guestRun(guest, `echo 1 >${device}/enable`, 60_000);
    });
    afterAll(async () => {
      await guest?.destroy();
      await run(`xenpt assignable remove ${setting.lab.sbdf('nic1')}`);
    });

    it('every ping comes back, the model lives, and its log is short', async () => {
      const model = await pid();
      const pings = Math.round(hammerMs / 200);
      const [done, said] = await Promise.all([
        guestRun(guest, `accesses random ${slot} ${hammerMs} ${device}/resource3 ${Date.now() % 1e6}`, 20 * hammerMs),
        guestRun(bystander(), `ping -I eth0 -i 0.2 -c ${pings} -W 20 10.0.2.2 | tail -n 2`, 20 * hammerMs + 60_000),
      ]);
      const [, configuration, table] = /^random (\d+) (\d+)$/m.exec(done) ?? [];
      const most = mostLinesInASecond(await run(`cat /var/log/xenpt/domain-${guest.domid}.log`));
      console.table({ random: { configuration, table, mostLogLinesInASecond: most } });
      console.log(said);
      expect(Number(configuration)).toBeGreaterThan(0);
      expect(Number(table)).toBeGreaterThan(0);
      expect(said).toMatch(new RegExp(`${pings} packets transmitted, ${pings} packets received`));
      expect(await pid()).toBe(model);
      const view: unknown = JSON.parse(await run(`xenpt guest-view ${setting.lab.sbdf('nic1')} --json`));
      expect((parseComparison(view)[0]?.guest ?? 0) & 0xffff).toBe(0x8086);
      expect(most).toBeLessThanOrEqual(mostLinesPerSecond);
    });

    it('and when it is destroyed nothing of it is left', async () => {
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });
  });
}

/** Lines of a log begin with a time as ISO 8601 writes it. */
function mostLinesInASecond(log: string): number {
  const lines = new Map<string, number>();
  for (const [second] of log.matchAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/gm)) {
    lines.set(second, (lines.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...lines.values());
}
