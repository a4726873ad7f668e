import type { DirtyProfile } from './growth.js';
import { type PrecopyLink, type PrecopyOutcome, simulatePrecopy, simulatePrecopyAtLoad } from './precopy.js';

/**
 * The least change, of one thing at a time, after which the same guest converges; null where that alone cannot do it.
 */
export interface PrecopyRemedy {
  readonly bandwidthBytesPerSecond: number | null;
  readonly downtimeMs: number | null;
  /** Part of the present dirtying, 0 to 1: 0.4 means that the guest has to write 60 % less. */
  readonly loadFactor: number | null;
}

export interface PrecopyPrediction extends PrecopyOutcome {
  readonly link: PrecopyLink;
  /** Null where it converges. */
  readonly remedy: PrecopyRemedy | null;
}

/** Beyond any network, bytes per second. */
const MOST_BANDWIDTH = 1.25e12;
const LONGEST_DOWNTIME_MS = 3_600_000;
const LEAST_LOAD = 1e-4;
/** Steps of a bisection over logarithms: far below a thousandth between neighbours. */
const STEPS = 40;

/**
 * Rounds, bytes, seconds and pause of a precopy migration, and what would make it converge if it does not.
 *
 * @throws DirtyRateError DIRTY_RATE_RANGE
 */
export function predictPrecopy(profile: DirtyProfile, link: PrecopyLink): PrecopyPrediction {
  const outcome = simulatePrecopy(profile, link);
  return { ...outcome, link, remedy: outcome.verdict === 'converges' ? null : findRemedy(profile, link) };
}

function findRemedy(profile: DirtyProfile, link: PrecopyLink): PrecopyRemedy {
  const converges = (change: Partial<PrecopyLink>) =>
    simulatePrecopy(profile, { ...link, ...change }).verdict === 'converges';
  return {
    bandwidthBytesPerSecond: least(
      (bandwidthBytesPerSecond) => converges({ bandwidthBytesPerSecond }),
      link.bandwidthBytesPerSecond,
      Math.max(MOST_BANDWIDTH, link.bandwidthBytesPerSecond),
    ),
    downtimeMs: least(
      (downtimeMs) => converges({ downtimeMs }),
      Math.max(link.downtimeMs, 0.001),
      LONGEST_DOWNTIME_MS,
    ),
    loadFactor: mostLoad(profile, link),
  };
}

function mostLoad(profile: DirtyProfile, link: PrecopyLink): number | null {
  const inverse = least(
    (divisor) => simulatePrecopyAtLoad(profile, link, 1 / divisor).verdict === 'converges',
    1,
    1 / LEAST_LOAD,
  );
  return inverse === null ? null : 1 / inverse;
}

/** The least value between the bounds that is enough, given that more is never worse; rounded to the safe side. */
function least(isEnough: (value: number) => boolean, from: number, to: number): number | null {
  if (!isEnough(to)) return null;
  let low = Math.log(from);
  let high = Math.log(to);
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (isEnough(Math.exp(middle))) high = middle;
    else low = middle;
  }
  return Math.min(Math.exp(high), to);
}
