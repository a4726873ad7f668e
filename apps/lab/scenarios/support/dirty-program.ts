import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guest } from '../../src/guest/guest.js';

const source = fileURLToPath(new URL('dirty.c', import.meta.url));

/** 1.5 KiB without a C library: it starts in a guest that has none. */
export const compilerOptions = [
  ...['-Os', '-Wall', '-Wextra', '-Werror', '-static', '-nostdlib', '-no-pie', '-fno-pie', '-s'],
  ...['-fno-builtin', '-fno-stack-protector', '-fno-asynchronous-unwind-tables'],
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
];

/**
 * A guest's script (`createGuest({ script })`) that puts the program `dirty` (dirty.c) into its PATH. It switches huge
 * pages on, with which the program's region is in few pieces: Linux has them off in less than 512 MiB.
 */
export function dirtyProgramScript(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-dirty-'));
  try {
    const program = join(folder, 'dirty');
    execFileSync('gcc', [...compilerOptions, '-o', program, source], { stdio: 'pipe' });
    const encoded = readFileSync(program).toString('base64');
    return [
      `echo ${encoded} | base64 -d >/bin/dirty`,
      'chmod +x /bin/dirty',
      'echo always >/sys/kernel/mm/transparent_hugepage/enabled',
      '',
    ].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
