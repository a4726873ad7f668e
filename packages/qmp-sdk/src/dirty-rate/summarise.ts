import { DirtyRateError, DirtyRateErrorCode } from './errors.js';
import type { DirtyProfile, Incidence } from './growth.js';
import { findHotRegions, type HotRegion } from './regions.js';
import type { DirtySample, Heat } from './sample.js';
import type { DirtySource } from './source.js';

export interface DirtyRate {
  readonly pagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** What a measurement says about a guest. Null members: the source does not say which pages. */
export interface DirtySummary {
  readonly description: string;
  readonly samples: number;
  /** All samples together, milliseconds. */
  readonly elapsedMs: number;
  /** Samples that took over a tenth longer than asked for: the log could not be read fast enough. */
  readonly overruns: number;
  readonly pageCount: number;
  readonly memoryPages: number;
  readonly pageSizeBytes: number;
  /** Different pages dirtied in a sample, per second. */
  readonly mean: DirtyRate;
  readonly peak: DirtyRate;
  /** Different pages dirtied in the whole measurement. */
  readonly workingSetPages: number | null;
  readonly again: {
    /** Of the pages dirty in a sample, the part that was dirty in the one before, 0 to 1, on average. */
    readonly share: number;
    /** Pages dirty in two samples or more. */
    readonly pages: number;
    /** Pages dirty in every sample. */
    readonly everySample: number;
  } | null;
  readonly hottest: readonly HotRegion[] | null;
  /** Sum of all samples. */
  readonly heat: Heat | null;
  readonly profile: DirtyProfile;
}

const MAXIMUM_HOT_REGIONS = 8;
const OVERRUN_TOLERANCE = 0.1;

/**
 * @param samples in the order in which they came; at least one
 * @throws DirtyRateError DIRTY_RATE_NO_SAMPLES
 */
export function summarise(
  samples: readonly DirtySample[],
  source: Pick<DirtySource, 'description' | 'pageSizeBytes' | 'memoryPages'>,
): DirtySummary {
  const last = samples.at(-1);
  if (!last) {
    throw new DirtyRateError(DirtyRateErrorCode.noSamples, 'No sample was taken: there is nothing to sum up.', {
      next: 'Measure for one interval at least.',
    });
  }
  const { pageSizeBytes, description } = source;
  const { sets } = last.accumulated;
  const elapsedMs = samples.reduce((sum, sample) => sum + sample.elapsedMs, 0);
  const rate = (pagesPerSecond: number) => ({ pagesPerSecond, bytesPerSecond: pagesPerSecond * pageSizeBytes });
  const heat = sumHeat(samples);
  const pageCount = last.pageCount;
  const memoryPages = Math.min(pageCount, source.memoryPages ?? pageCount);
  return {
    description,
    samples: samples.length,
    elapsedMs,
    overruns: samples.filter(({ overrunMs, elapsedMs }) => overrunMs > OVERRUN_TOLERANCE * (elapsedMs - overrunMs))
      .length,
    pageCount,
    memoryPages,
    pageSizeBytes,
    mean: rate((samples.reduce((sum, { pages }) => sum + pages, 0) * 1000) / elapsedMs),
    peak: rate(Math.max(...samples.map(({ pagesPerSecond }) => pagesPerSecond))),
    workingSetPages: sets?.once ?? null,
    again: sets ? { share: repeatedShare(samples), pages: sets.twice, everySample: sets.always } : null,
    hottest: heat
      ? findHotRegions(heat.counts, scaleOf(heat, pageCount, samples, elapsedMs), MAXIMUM_HOT_REGIONS)
      : null,
    heat,
    profile: {
      windows: last.accumulated.windows,
      incidence: incidenceOf(last),
      memoryPages,
      holePages: pageCount - memoryPages,
      pageSizeBytes,
    },
  };
}

function scaleOf({ regionPages }: Heat, pageCount: number, samples: readonly DirtySample[], elapsedMs: number) {
  return { regionPages, pageCount, samples: samples.length, elapsedMs };
}

function repeatedShare(samples: readonly DirtySample[]): number {
  let repeated = 0;
  let pages = 0;
  for (const sample of samples) {
    if (sample.repeatedPages === null) continue;
    repeated += sample.repeatedPages;
    pages += sample.pages;
  }
  return pages === 0 ? 0 : repeated / pages;
}

function incidenceOf({ accumulated: { samples, sets } }: DirtySample): Incidence | null {
  return sets ? { samples, once: sets.once - sets.twice, twice: sets.twice - sets.thrice } : null;
}

/** A guest's map may have grown: later samples have more regions, of the same size. */
function sumHeat(samples: readonly DirtySample[]): Heat | null {
  const heats = samples.flatMap(({ heat }) => heat ?? []);
  const first = heats[0];
  if (!first) return null;
  const counts = new Uint32Array(Math.max(...heats.map((heat) => heat.counts.length)));
  for (const heat of heats) heat.counts.forEach((count, region) => (counts[region] = (counts[region] ?? 0) + count));
  return { regionPages: first.regionPages, counts };
}
