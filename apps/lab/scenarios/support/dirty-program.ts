import type { Guest } from '../../src/guest/guest.js';
import { guestProgramScript } from './guest-program.js';

/**
 * A guest's script (`createGuest({ script })`) that puts the program `dirty` (dirty.c) into its PATH. It switches huge
 * pages on, with which the program's region is in few pieces: Linux has them off in less than 512 MiB.
 */
export function dirtyProgramScript(): string {
  return [...guestProgramScript('dirty'), 'echo always >/sys/kernel/mm/transparent_hugepage/enabled', ''].join('\n');
}

/** Guest frames in a row: the first, and how many. */
export type FrameRange = readonly [first: number, count: number];

/** Pages that the program has written since its start, and how long that took it. */
export interface Written {
  readonly pages: number;
  readonly ms: number;
}

/** More seconds than a measurement lasts. */
const mostLines = 300;

/** The program at work in a guest, with what it says of itself. */
export class DirtyProgram {
  /** The frames of its region: bits of a dirty map. */
  readonly frames: readonly FrameRange[];
  readonly #guest: Guest;
  readonly #path: string;

  private constructor(guest: Guest, log: string, frames: readonly FrameRange[]) {
    this.#guest = guest;
    this.#path = log;
    this.frames = frames;
  }

  /** Starts it in a guest that was created with {@link dirtyProgramScript}, and waits until it writes. */
  static async start(guest: Guest, regionPages: number, pagesPerSecond: number): Promise<DirtyProgram> {
    const log = `/tmp/dirty-${regionPages}-${pagesPerSecond}.log`;
    const { output } = await guest.exec(
      `dirty ${regionPages} ${pagesPerSecond} >${log} 2>&1 &\n` +
        `for n in $(seq 300); do grep -q start ${log} && break; sleep 0.1; done; cat ${log}`,
    );
    const frames = [...output.matchAll(/^frames (\d+) (\d+)/gm)].map(([, first, count]): FrameRange => {
      return [Number(first), Number(count)];
    });
    const pages = frames.reduce((sum, [, count]) => sum + count, 0);
    if (!/^start/m.test(output) || pages !== regionPages) throw new Error(`dirty did not start: ${output}`);
    return new DirtyProgram(guest, log, frames);
  }

  /** Pages that it has written since its start, as of its last full second. */
  async written(): Promise<Written> {
    return (await this.#log(1)).at(-1) ?? { pages: 0, ms: 0 };
  }

  /**
   * What it has written a second, in the slowest and in the fastest `windowMs` since `sinceMs`: on a machine that stood
   * still for a moment it matters which part of the time is looked at.
   */
  async pagesPerSecond(
    windowMs: number,
    sinceMs: number,
  ): Promise<{ readonly least: number; readonly most: number }> {
    // Its last second is written down as well.
    await this.#guest.exec('sleep 1.5');
    const lines = (await this.#log(mostLines)).filter(({ ms }) => ms >= sinceMs);
    const rates = lines.flatMap((first) => {
      const last = lines.find(({ ms }) => ms >= first.ms + windowMs);
      return last === undefined ? [] : ((last.pages - first.pages) * 1000) / (last.ms - first.ms);
    });
    if (rates.length === 0) throw new Error(`dirty has not run for ${windowMs} ms: ${JSON.stringify(lines)}`);
    return { least: Math.min(...rates), most: Math.max(...rates) };
  }

  async #log(lines: number): Promise<readonly Written[]> {
    const { output } = await this.#guest.exec(`tail -n ${lines} ${this.#path}`);
    return [...output.matchAll(/^written (\d+) (\d+)/gm)].map(([, pages, ms]) => ({
      pages: Number(pages),
      ms: Number(ms),
    }));
  }

  async stop(): Promise<void> {
    await this.#guest.exec('killall dirty');
  }
}
