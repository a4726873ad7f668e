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

/** The program at work in a guest, with what it says of itself. */
export class DirtyProgram {
  /** The frames of its region: bits of a dirty map. */
  readonly frames: readonly FrameRange[];
  readonly #guest: Guest;
  readonly #log: string;

  private constructor(guest: Guest, log: string, frames: readonly FrameRange[]) {
    this.#guest = guest;
    this.#log = log;
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
  async written(): Promise<{ readonly pages: number; readonly ms: number }> {
    const { output } = await this.#guest.exec(`tail -n 1 ${this.#log}`);
    const [, pages = 0, ms = 0] = /^written (\d+) (\d+)/m.exec(output) ?? [];
    return { pages: Number(pages), ms: Number(ms) };
  }

  async stop(): Promise<void> {
    await this.#guest.exec('killall dirty');
  }
}
