import { requireWithin } from './quantities.js';
import { createGrowth, type DirtyProfile, type Growth, longestWindowMs } from './growth.js';
import { precopyPolicies, type PrecopyPolicy, type PrecopyPolicyName } from './policies.js';

export interface PrecopyLink {
  /** What arrives at the other side, bytes per second: the slowest of wire, encryption and both hosts. */
  readonly bandwidthBytesPerSecond: number;
  /** The longest pause that is acceptable, milliseconds. */
  readonly downtimeMs: number;
  readonly policy: PrecopyPolicyName;
  /** The part of the pause that is not memory: suspending, device state, starting at the other side. Default 0. */
  readonly fixedPauseMs?: number;
  /** What a round costs beside sending, such as reading the log. Default 0. */
  readonly roundOverheadMs?: number;
  /** Share of the guest's memory that is zeros, 0 to 1; counts where the sender tells zero pages apart. Default 0. */
  readonly zeroShare?: number;
}

export interface PrecopyRound {
  /** From 1. */
  readonly round: number;
  readonly pages: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** The guest does not run while this one is sent. */
  readonly paused: boolean;
}

/**
 * `converges`: ends within the allowed pause. `pause-too-long`: ends, but the pause is longer. `never-ends`: each
 * round leaves as much as it sends.
 */
export type PrecopyVerdict = 'converges' | 'pause-too-long' | 'never-ends';

export interface PrecopyOutcome {
  readonly verdict: PrecopyVerdict;
  /** All rounds, or the first `MAXIMUM_LISTED_ROUNDS`. The last of one that never ends is not paused. */
  readonly rounds: readonly PrecopyRound[];
  readonly roundCount: number;
  /** Of the listed rounds where it never ends. */
  readonly totalBytes: number;
  readonly totalMs: number;
  /** Guest pages sent, with repetitions. */
  readonly totalPages: number;
  /** Null where it never ends. */
  readonly pauseMs: number | null;
  /** Some round lasts longer than the longest window that was measured. */
  readonly extrapolated: boolean;
}

export const MAXIMUM_LISTED_ROUNDS = 100;
const MAXIMUM_ROUNDS = 10_000;
/** A round that leaves less than this many pages fewer than it sent makes no progress. */
const LEAST_PROGRESS_PAGES = 0.01;

/**
 * Plays a precopy migration through on the growth curve of a profile. Pages dirtied during one round, whether sent in
 * it before or after they were written, are what the next one sends.
 *
 * @throws DirtyRateError DIRTY_RATE_RANGE
 */
export function simulatePrecopy(profile: DirtyProfile, link: PrecopyLink): PrecopyOutcome {
  return playThrough(profile, link, createGrowth(profile));
}

/**
 * The same with the guest's dirtying slowed down or sped up: at `loadFactor` 0.5 it needs twice as long for the same.
 */
export function simulatePrecopyAtLoad(profile: DirtyProfile, link: PrecopyLink, loadFactor: number): PrecopyOutcome {
  const growth = createGrowth(profile);
  return playThrough(profile, link, (windowMs) => growth(windowMs * loadFactor));
}

function playThrough(profile: DirtyProfile, link: PrecopyLink, growth: Growth): PrecopyOutcome {
  requireWithin(link.bandwidthBytesPerSecond, 'bandwidth', 1, 1e15, ' bytes/s');
  requireWithin(link.downtimeMs, 'downtime', 0, 86_400_000, ' ms');
  const policy: PrecopyPolicy = precopyPolicies[link.policy];
  const sender = createSender(profile, link, policy);
  const state: Course = { rounds: [], roundCount: 0, totalBytes: 0, totalMs: 0, totalPages: 0, longestMs: 0 };
  const left = sendLive(state, sender, growth, profile.memoryPages, policy, link);
  if (left === null) return finish(state, profile, 'never-ends', null);
  const memoryMs = send(state, sender, left, true);
  const pauseMs = memoryMs + (link.fixedPauseMs ?? 0);
  state.totalMs += link.fixedPauseMs ?? 0;
  return finish(state, profile, pauseMs <= link.downtimeMs ? 'converges' : 'pause-too-long', pauseMs);
}

interface Course {
  readonly rounds: PrecopyRound[];
  roundCount: number;
  totalBytes: number;
  totalMs: number;
  totalPages: number;
  /** The longest round while the guest ran. */
  longestMs: number;
}

interface Sender {
  readonly bytesOf: (pages: number, firstRound: boolean) => number;
  readonly durationOf: (bytes: number) => number;
}

function createSender(profile: DirtyProfile, link: PrecopyLink, policy: PrecopyPolicy): Sender {
  const whole = profile.pageSizeBytes + policy.pageOverheadBytes;
  const zeroShare = policy.zeroPageBytes === null ? 0 : (link.zeroShare ?? 0);
  const first = whole * (1 - zeroShare) + (policy.zeroPageBytes ?? whole) * zeroShare;
  return {
    bytesOf: (pages, firstRound) =>
      firstRound ? pages * first + profile.holePages * policy.holeBytes : pages * whole,
    durationOf: (bytes) => (bytes / link.bandwidthBytesPerSecond) * 1000 + (link.roundOverheadMs ?? 0),
  };
}

/** Sends one round and returns how long that took. */
function send(state: Course, sender: Sender, pages: number, paused: boolean): number {
  state.roundCount += 1;
  const bytes = sender.bytesOf(pages, state.roundCount === 1);
  const durationMs = sender.durationOf(bytes);
  state.totalBytes += bytes;
  state.totalMs += durationMs;
  state.totalPages += pages;
  if (!paused) state.longestMs = Math.max(state.longestMs, durationMs);
  if (state.rounds.length < MAXIMUM_LISTED_ROUNDS || paused) {
    state.rounds.push({ round: state.roundCount, pages, bytes, durationMs, paused });
  }
  return durationMs;
}

/** The rounds while the guest runs. Returns the pages left for the pause; null when it never comes to one. */
function sendLive(
  state: Course,
  sender: Sender,
  growth: Growth,
  memoryPages: number,
  policy: PrecopyPolicy,
  link: PrecopyLink,
): number | null {
  let dirty = memoryPages;
  for (let round = 1; round <= Math.min(policy.maximumLiveRounds, MAXIMUM_ROUNDS); round++) {
    // What is left is judged by its size in memory: that some of it is zeros shows when it is sent.
    if (policy.untilPauseFits && sender.durationOf(sender.bytesOf(dirty, false)) <= link.downtimeMs) return dirty;
    const last = dirty < policy.fewPages;
    const left = growth(send(state, sender, dirty, false));
    if (policy.untilPauseFits && left > dirty - LEAST_PROGRESS_PAGES) {
      if (sender.durationOf(sender.bytesOf(left, false)) <= link.downtimeMs) return left;
      return null;
    }
    dirty = left;
    if (last) break;
  }
  return dirty;
}

function finish(
  { rounds, roundCount, totalBytes, totalMs, totalPages, longestMs }: Course,
  profile: DirtyProfile,
  verdict: PrecopyVerdict,
  pauseMs: number | null,
): PrecopyOutcome {
  const extrapolated = longestMs > longestWindowMs(profile);
  return { verdict, rounds, roundCount, totalBytes, totalMs, totalPages, pauseMs, extrapolated };
}
