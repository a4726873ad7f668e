import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { Lab } from '../../src/lab.js';
import { DirtyMeasurer, parseLines, samplesOf } from './dirty-measurer.js';
import { DirtyProgram, dirtyProgramScript } from './dirty-program.js';

/** More than is written in an interval, however late a look comes on a busy machine. */
const regionPages = 16_384;
const pagesPerSecond = 2000;

/** The dirty log of a guest that writes a known number of pages, on a lab with xenpt installed; tests in order. */
export function dirtyLogScenarios(lab: () => Lab, vcpus: number): void {
  describe(`the dirty log of a guest with vCPUs: ${vcpus}`, () => {
    let guest: Guest;
    let program: DirtyProgram;
    let measurer: DirtyMeasurer;

    const run = (command: string) => lab().run(command, { timeoutMs: 180_000 });
    const measure = (samples: number, intervalMs: number) =>
      measurer.measure({ domid: guest.domid, samples, intervalMs, frames: program.frames });
    /** In the background, not so often that dom0 can do nothing else; its output is in /tmp/measure.log. */
    const startMeasuring = async () => {
      const endless = { domid: guest.domid, samples: 1000, intervalMs: 500, frames: program.frames };
      const command = measurer.command(endless);
      await run(`${command} >/tmp/measure.log 2>&1 </dev/null & echo $! >/tmp/measure.pid`);
      await run('for n in $(seq 300); do grep -q inside /tmp/measure.log && exit 0; sleep 0.1; done; exit 1');
    };
    const isOn = () => measurer.isOn(guest.domid);

    beforeAll(async () => {
      measurer = await DirtyMeasurer.install(lab());
      guest = await lab().createGuest({ name: 'writer', vcpus, script: dirtyProgramScript() });
      await guest.waitUntilReady();
      program = await DirtyProgram.start(guest, regionPages, pagesPerSecond);
    });
    afterAll(() => guest?.destroy());

    it('counts the pages that the guest writes, within a tenth, and where', async () => {
      const lines = await measurer.expectWithinATenth(guest.domid, program);
      expect(lines[0]).toMatchObject({ open: guest.domid, type: 'hvm' });
      expect(await isOn()).toBe(false);
    });

    it('of a paused guest is empty', async () => {
      await run(`xl pause ${guest.domid}`);
      const samples = samplesOf(await measure(2, 200));
      await run(`xl unpause ${guest.domid}`);
      expect(samples.map(({ inside, outside }) => [inside, outside])).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });

    it('goes on while the guest gives memory back', async () => {
      const [lines] = await Promise.all([
        measure(3, 1000),
        run(`sleep 2; xl mem-set ${guest.domid} 208m && sleep 1 && xl mem-set ${guest.domid} 256m`),
      ]);
      expect(samplesOf(lines).every(({ inside }) => inside > 0)).toBe(true);
      expect(lines.at(-1)).toEqual({ closed: true });
      expect(await isOn()).toBe(false);
    });

    it('is switched off by recover after SIGKILL, and the guest goes on', async () => {
      await startMeasuring();
      expect(JSON.parse(await run('xenpt recover --json'))).toMatchObject({
        dirtyLogs: [{ outcome: 'owner-alive' }],
      });
      await run('kill -9 $(cat /tmp/measure.pid)');
      expect(await isOn()).toBe(true);
      expect(await run('xenpt recover')).toContain(`Dirty logging of domain ${guest.domid} is off`);
      expect(await isOn()).toBe(false);
      const before = await program.written();
      await guest.exec('sleep 1.5');
      expect((await program.written()).pages).toBeGreaterThan(before.pages);
    });

    it('ends clearly when the guest is destroyed', async () => {
      await startMeasuring();
      await guest.destroy();
      await run('for n in $(seq 300); do grep -q closed /tmp/measure.log && exit 0; sleep 0.1; done; exit 1');
      const lines = parseLines(await run('cat /tmp/measure.log'));
      expect(lines.at(-2)).toMatchObject({ error: 'XENPT_DOMAIN_GONE' });
      expect(await run('ls /run/xenpt/dirty-log')).not.toContain('domain-');
    });
  });
}
