import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Lab } from '../../src/lab.js';
import type { DirtyProgram, FrameRange } from './dirty-program.js';

const source = fileURLToPath(new URL('measure-dirty.mjs', import.meta.url));

/** A rate is the guest's: what its own clock and ours differ in is small beside this. */
const tolerance = 0.1;

/** A line that the program prints. */
export type Line = Readonly<Record<string, unknown>>;

export interface Sample {
  readonly ms: number;
  readonly inside: number;
  readonly outside: number;
}

export interface MeasureOptions {
  readonly domid: number;
  readonly samples: number;
  readonly intervalMs: number;
  /** What the guest writes. */
  readonly frames: readonly FrameRange[];
}

/** measure-dirty.mjs in dom0, beside the globally installed packages. */
export class DirtyMeasurer {
  readonly #lab: Lab;
  readonly #path: string;

  private constructor(lab: Lab, path: string) {
    this.#lab = lab;
    this.#path = path;
  }

  static async install(lab: Lab): Promise<DirtyMeasurer> {
    // Where imports find the packages.
    const path = `${(await lab.run('dirname $(npm root -g)')).trim()}/measure-dirty.mjs`;
    await lab.push(source, path);
    return new DirtyMeasurer(lab, path);
  }

  command({ domid, samples, intervalMs, frames }: MeasureOptions): string {
    const ranges = frames.map((range) => range.join('+')).join();
    return `node ${this.#path} ${domid} ${samples} ${intervalMs} ${ranges}`;
  }

  /** What it printed, also if it failed. */
  async measure(options: MeasureOptions): Promise<Line[]> {
    return parseLines((await this.#lab.exec(this.command(options))).stdout);
  }

  /** Whether Xen logs the domain's writes. */
  async isOn(domid: number): Promise<unknown> {
    const [line] = parseLines(await this.#lab.run(`node ${this.#path} probe ${domid}`, { timeoutMs: 180_000 }));
    return line?.['on'];
  }

  /** Over all looks: a machine that stops for a moment moves pages from one to the next. */
  async expectWithinATenth(domid: number, program: DirtyProgram): Promise<Line[]> {
    const before = await program.written();
    const lines = await this.measure({ domid, samples: 4, intervalMs: 2000, frames: program.frames });
    const samples = samplesOf(lines);
    console.table(samples);
    expect(samples, JSON.stringify(lines)).toHaveLength(4);
    const sum = (key: keyof Sample) => samples.reduce((total, sample) => total + sample[key], 0);
    const measuredRate = (sum('inside') * 1000) / sum('ms');
    const { least, most } = await program.pagesPerSecond(sum('ms'), before.ms);
    expect(measuredRate).toBeGreaterThan(least * (1 - tolerance));
    expect(measuredRate).toBeLessThan(most * (1 + tolerance));
    expect(sum('outside')).toBeLessThan(sum('inside') / 2);
    return lines;
  }
}

export function parseLines(text: string): Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

export function samplesOf(lines: readonly Line[]): Sample[] {
  return lines.filter((line) => 'inside' in line) as unknown as Sample[];
}
