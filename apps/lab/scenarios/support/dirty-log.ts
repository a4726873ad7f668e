import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { Lab } from '../../src/lab.js';
import { DirtyProgram, dirtyProgramScript, type FrameRange } from './dirty-program.js';

const measurer = fileURLToPath(new URL('measure-dirty.mjs', import.meta.url));

/** More than is written in an interval, however late a look comes on a busy machine. */
const regionPages = 16_384;
const pagesPerSecond = 2000;
/** A rate is the guest's: what its own clock and ours differ in is small beside this. */
const tolerance = 0.1;

interface Sample {
  readonly ms: number;
  readonly inside: number;
  readonly outside: number;
}

/** The dirty log of a guest that writes a known number of pages, on a lab with xenpt installed; tests in order. */
export function dirtyLogScenarios(lab: () => Lab, vcpus: number): void {
  describe(`the dirty log of a guest with vCPUs: ${vcpus}`, () => {
    let guest: Guest;
    let program: DirtyProgram;
    /** Beside the globally installed packages, so that imports find them. */
    let remoteMeasurer: string;

    const run = (command: string) => lab().run(command, { timeoutMs: 180_000 });
    const measureCommand = (samples: number, intervalMs: number, frames: readonly FrameRange[]) =>
      `node ${remoteMeasurer} ${guest.domid} ${samples} ${intervalMs} ${frames.map((range) => range.join('+')).join()}`;
    const measure = async (samples: number, intervalMs: number) => {
      const { stdout } = await lab().exec(measureCommand(samples, intervalMs, program.frames));
      return parseLines(stdout);
    };
    /** In the background, not so often that dom0 can do nothing else; its output is in /tmp/measure.log. */
    const startMeasuring = async () => {
      const command = measureCommand(1000, 500, program.frames);
      await run(`${command} >/tmp/measure.log 2>&1 </dev/null & echo $! >/tmp/measure.pid`);
      await run('for n in $(seq 300); do grep -q inside /tmp/measure.log && exit 0; sleep 0.1; done; exit 1');
    };
    const isOn = async () => (parseLines(await run(`node ${remoteMeasurer} probe ${guest.domid}`))[0] ?? {})['on'];

    beforeAll(async () => {
      remoteMeasurer = `${(await run('dirname $(npm root -g)')).trim()}/measure-dirty.mjs`;
      await lab().push(measurer, remoteMeasurer);
      guest = await lab().createGuest({ name: 'writer', vcpus, script: dirtyProgramScript() });
      await guest.waitUntilReady();
      program = await DirtyProgram.start(guest, regionPages, pagesPerSecond);
    });
    afterAll(() => guest?.destroy());

    it('counts the pages that the guest writes, within a tenth, and where', async () => {
      const before = await program.written();
      const lines = await measure(4, 2000);
      const after = await program.written();
      expect(lines[0]).toMatchObject({ open: guest.domid, type: 'hvm' });
      const samples = samplesOf(lines);
      console.table(samples);
      expect(samples).toHaveLength(4);
      const writtenRate = ((after.pages - before.pages) * 1000) / (after.ms - before.ms);
      // Over all looks: a machine that stops for a moment moves pages from one to the next.
      const sum = (key: keyof Sample) => samples.reduce((total, sample) => total + sample[key], 0);
      const measuredRate = (sum('inside') * 1000) / sum('ms');
      expect(Math.abs(measuredRate / writtenRate - 1)).toBeLessThan(tolerance);
      expect(sum('outside')).toBeLessThan(sum('inside') / 2);
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

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function samplesOf(lines: readonly Record<string, unknown>[]): Sample[] {
  return lines.filter((line) => 'inside' in line) as unknown as Sample[];
}
