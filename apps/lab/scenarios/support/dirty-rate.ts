import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { Lab } from '../../src/lab.js';
import { DirtyProgram, dirtyProgramScript } from './dirty-program.js';

const meter = fileURLToPath(new URL('stream-meter.mjs', import.meta.url));
const remoteMeter = '/root/stream-meter.mjs';

const regionPages = 8192;
/** The region lasts for eight samples: what is written twice in one counts once. */
const pagesPerSecond = 1000;
/** More than the emulated machine ever copies: what passes then is all that it can. */
const unlimitedBytesPerSecond = 256 * 2 ** 20;
/** The link has a half of that, so that it alone decides how long a round lasts. */
const slowdown = 2;
const mostBytesPerSecond = 16 * 2 ** 20;
const pageBytes = 4104;
const downtime = '300ms';
const rateTolerance = 0.1;
const predictionTolerance = 0.25;
/** What a migration sends and a measurement does not see: pages that suspending itself dirties. */
const suspendPages = 64;

interface Measurement {
  readonly summary: {
    readonly elapsedMs: number;
    readonly mean: { readonly pagesPerSecond: number };
    readonly hottest: readonly { readonly startFrame: number; readonly endFrame: number }[];
    readonly heat: { readonly regionPages: number; readonly counts: readonly (readonly [number, number])[] };
  };
  readonly prediction: {
    readonly totalBytes: number;
    readonly totalMs: number;
    readonly pauseMs: number;
    readonly roundCount: number;
    readonly rounds: readonly { readonly pages: number; readonly bytes: number; readonly durationMs: number }[];
  };
}

interface Stream {
  readonly rounds: readonly {
    readonly startMs: number;
    readonly endMs: number;
    readonly pages: number;
    readonly bytes: number;
  }[];
  readonly passedBytes: number;
  readonly endMs: number;
  readonly exitCode: number;
}

/**
 * A guest that writes a known number of pages, measured and then saved and migrated; tests in order.
 *
 * @param migrates false: only measured, which takes half a minute instead of five
 */
export function dirtyRateScenarios(
  lab: () => Lab,
  { vcpus, migrates }: { readonly vcpus: number; readonly migrates: boolean },
): void {
  describe(`the dirty rate of a guest with vCPUs: ${vcpus}`, () => {
    const name = 'rate';
    let guest: Guest;
    let program: DirtyProgram;

    const run = (command: string) => lab().run(command, { timeoutMs: 600_000 });
    const measure = async (
      policy: string,
      linkBytesPerSecond: number,
      { samples = 8, options = '' } = {},
    ): Promise<Measurement> => {
      const link = `--link ${linkBytesPerSecond}B/s --downtime ${downtime} --policy ${policy} ${options}`;
      return JSON.parse(await run(`xenpt dirty-rate ${name} --samples ${samples} ${link} --json`)) as Measurement;
    };
    const metered = async (command: string, log: string): Promise<Stream> => {
      await run(`rm -f ${log}; ${command}`);
      // xl does not wait for its receiver's end, which is when the meter writes.
      const written = await run(`for n in $(seq 300); do [ -s ${log} ] && exec cat ${log}; sleep 0.2; done; exit 1`);
      return JSON.parse(written) as Stream;
    };

    beforeAll(async () => {
      await lab().push(meter, remoteMeter);
      guest = await lab().createGuest({ name, vcpus, memoryMiB: 192, script: dirtyProgramScript() });
      await guest.waitUntilReady();
      program = await DirtyProgram.start(guest, regionPages, pagesPerSecond);
    });
    // After a migration the guest is another domain with the same name.
    afterAll(() => lab().exec(`xl destroy ${name}`));

    it('is within a tenth of what the guest writes, and the hottest frames are those it writes', async () => {
      const before = await program.written();
      const { summary } = await measure('xen', mostBytesPerSecond);
      const { elapsedMs, heat, hottest, mean } = summary;
      const written = (startFrame: number, endFrame: number) =>
        program.frames.some(([first, count]) => startFrame < first + count && first < endFrame);
      const inside = heat.counts.filter(([region]) =>
        written(region * heat.regionPages, (region + 1) * heat.regionPages),
      );
      const measured = (inside.reduce((pages, [, count]) => pages + count, 0) * 1000) / elapsedMs;
      const rate = await program.pagesPerSecond(elapsedMs, before.ms);
      console.table([{ ...rate, measured, all: mean.pagesPerSecond, hottest: hottest[0]?.startFrame }]);
      expect(measured).toBeGreaterThan(rate.least * (1 - rateTolerance));
      expect(measured).toBeLessThan(rate.most * (1 + rateTolerance));
      expect(written(hottest[0]?.startFrame ?? -1, hottest[0]?.endFrame ?? -1)).toBe(true);
      expect(await run('xenpt recover')).toContain('Nothing to recover');
    });

    if (!migrates) return;

    let saveLink: number;
    /** The link for a way whose first round was as fast as this machine is today. */
    const linkAfter = (unlimited: Stream): number => {
      const copied = ((unlimited.rounds[0]?.bytes ?? 0) * 1000) / lastedMs(unlimited, 0);
      return Math.round(Math.min(mostBytesPerSecond, copied / slowdown));
    };

    const save = (bytesPerSecond: number) => {
      const fifo = '/tmp/rate.fifo';
      const sink = `node ${remoteMeter} ${bytesPerSecond} /tmp/save.json sh -c 'cat >/dev/null' <${fifo}`;
      return metered(`rm -f ${fifo}; mkfifo ${fifo}; ${sink} & xl save -c ${name} ${fifo}; wait`, '/tmp/save.json');
    };

    it('xl save: bytes and time as predicted', async () => {
      saveLink = linkAfter(await save(unlimitedBytesPerSecond));
      const { prediction } = await measure('xen-save', saveLink);
      const real = await save(saveLink);
      report(`xl save, ${saveLink} B/s`, prediction, real);
      expect(real.rounds).toHaveLength(1);
      expectNear(prediction.totalBytes, sum(real.rounds, 'bytes'));
      expectNear(prediction.pauseMs, lastedMs(real, 0));
    });

    it('xl migrate to this host: rounds, bytes and pause as predicted', async () => {
      const migrate = (bytesPerSecond: number) => {
        // With an empty -s the "host" is the whole command that receives.
        const receive = `node ${remoteMeter} ${bytesPerSecond} /tmp/migrate.json xl migrate-receive`;
        return metered(`xl migrate -s '' ${name} '${receive}'`, '/tmp/migrate.json');
      };
      // Slower than the link: each round has less to send than the one before. After a migration nothing is started.
      await program.stop();
      const pagesPerSecond = Math.round(saveLink / pageBytes / 4);
      // It comes round twice while it is measured, and many times in the first round: a set that is not seen to be
      // small would be taken to grow for as long as that lasts.
      const samples = 24;
      program = await DirtyProgram.start(guest, (pagesPerSecond * samples) / 2, pagesPerSecond);
      const unlimited = await migrate(unlimitedBytesPerSecond);
      const link = linkAfter(unlimited);
      // How long a guest takes to stand still is a matter of its host, and this one is emulated.
      const suspendMs = beforeLastMs(unlimited);
      const { prediction } = await measure('xen', link, {
        samples,
        options: `--suspend-time ${suspendMs.toFixed(0)}ms`,
      });
      const real = await migrate(link);
      report(`xl migrate, ${link} B/s`, prediction, real);
      console.table([{ 'suspend ms, of the first': suspendMs, 'of the second': beforeLastMs(real) }]);
      expect(real.exitCode).toBe(0);
      expect(real.rounds).toHaveLength(prediction.roundCount);
      expectNear(prediction.totalBytes, sum(real.rounds, 'bytes'));
      expectNear(
        prediction.pauseMs,
        lastedMs(real, real.rounds.length - 1),
        (suspendPages * pageBytes * 1000) / link,
      );
    });
  });
}

/** From the first byte of a round to its last. */
function lastedMs({ rounds }: Stream, index: number): number {
  return (rounds[index]?.endMs ?? 0) - (rounds[index]?.startMs ?? 0);
}

/** From the end of the last live round to the first page of the pause. */
function beforeLastMs({ rounds }: Stream): number {
  return Math.max((rounds.at(-1)?.startMs ?? 0) - (rounds.at(-2)?.endMs ?? 0), 0);
}

function sum(rounds: Stream['rounds'], field: 'bytes' | 'pages'): number {
  return rounds.reduce((total, round) => total + round[field], 0);
}

function report(title: string, predicted: Measurement['prediction'], real: Stream): void {
  const rows = Array.from({ length: Math.max(predicted.rounds.length, real.rounds.length) }, (_, index) => ({
    round: index + 1,
    'predicted pages': Math.round(predicted.rounds[index]?.pages ?? 0),
    'real pages': real.rounds[index]?.pages,
    'predicted ms': Math.round(predicted.rounds[index]?.durationMs ?? 0),
    'real ms': Math.round((real.rounds[index]?.endMs ?? 0) - (real.rounds[index]?.startMs ?? 0)),
  }));
  console.table(rows);
  const last = real.rounds.at(-1);
  console.table([
    {
      what: title,
      rounds: predicted.roundCount,
      bytes: Math.round(predicted.totalBytes),
      pauseMs: predicted.pauseMs,
    },
    {
      what: 'real',
      rounds: real.rounds.length,
      bytes: sum(real.rounds, 'bytes'),
      pauseMs: lastedMs(real, real.rounds.length - 1),
      // From the first page of the last round until the receiver has ended: device state and resuming included.
      wholePauseMs: real.endMs - (last?.startMs ?? 0),
    },
  ]);
}

function expectNear(predicted: number, real: number, absolute = 0): void {
  expect(Math.abs(predicted - real), `${predicted} for ${real}`).toBeLessThan(predictionTolerance * real + absolute);
}
