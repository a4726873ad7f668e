export { DirtyRateError, DirtyRateErrorCode } from './errors.js';
export {
  createGrowth,
  type DirtyProfile,
  type Growth,
  type Incidence,
  longestWindowMs,
  type WindowPoint,
} from './growth.js';
export { measureDirtyRate, type MeasureOptions } from './measure.js';
export { precopyPolicies, type PrecopyPolicy, type PrecopyPolicyName } from './policies.js';
export {
  MAXIMUM_LISTED_ROUNDS,
  type PrecopyLink,
  type PrecopyOutcome,
  type PrecopyRound,
  type PrecopyVerdict,
  simulatePrecopy,
  simulatePrecopyAtLoad,
} from './precopy.js';
export { predictPrecopy, type PrecopyPrediction, type PrecopyRemedy } from './predict.js';
export { parseBandwidth, parseDuration, parseSize, parseWholeNumber } from './quantities.js';
export { findHotRegions, type HotRegion } from './regions.js';
export type { Accumulated, DirtySample, Heat } from './sample.js';
export {
  type BitmapSource,
  type Collected,
  type DirtySource,
  MAXIMUM_INTERVAL_MS,
  type MeasureClock,
  type MigrationCounters,
  MINIMUM_INTERVAL_MS,
  type RateReading,
  type RateSource,
} from './source.js';
export { type DirtyRate, type DirtySummary, summarise } from './summarise.js';
export { DirtyTracker, type TrackedSample } from './tracker.js';
export { createXenSource, type XenDirtyLog, type XenDomainFacts } from './xen-source.js';
export {
  openQmpSource,
  type QmpDirtyRateMode,
  qmpDirtyRateModes,
  type QmpExecutor,
  type QmpSourceOptions,
} from './qmp-source.js';
