import { requireWithin } from './quantities.js';
import { createGrowth, type DirtyProfile, type Growth, longestWindowMs } from './growth.js';
import { Pending } from './pending.js';
import { precopyPolicies, type PrecopyPolicy, type PrecopyPolicyName } from './policies.js';

export interface PrecopyLink {
  /** What arrives at the other side, bytes per second: the slowest of wire, encryption and both hosts. */
  readonly bandwidthBytesPerSecond: number;
  /** The longest pause that is acceptable, milliseconds. */
  readonly downtimeMs: number;
  readonly policy: PrecopyPolicyName;
  /** The part of the pause that is not memory: suspending, device state, starting at the other side. Default 0. */
  readonly fixedPauseMs?: number;
  /** From the decision to pause until the guest stands still: so long it goes on writing. Default 0. */
  readonly suspendMs?: number;
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
const MAXIMUM_ROUNDS = 1000;
/** A round that leaves less than this many pages fewer than it sent makes no progress. */
const LEAST_PROGRESS_PAGES = 0.01;

/**
 * Plays a precopy migration through on the growth curve of a profile. Pages dirtied during one round, whether sent in
 * it before or after they were written, are what the next one sends, beside what this one left unsent.
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
  requireWithin(link.suspendMs ?? 0, 'suspend time', 0, 3_600_000, ' ms');
  const policy: PrecopyPolicy = precopyPolicies[link.policy];
  const sender = createSender(profile, link, policy);
  const state: Course = { rounds: [], roundCount: 0, totalBytes: 0, totalMs: 0, totalPages: 0, longestMs: 0 };
  const left = sendLive(state, sender, growth, profile.memoryPages, policy, link);
  if (left === null) return finish(state, profile, 'never-ends', null);
  const memoryMs = send(state, sender, left, 1, true);
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
  /** Of the pages that are there from the beginning, some of zeros, and of those dirtied since. */
  readonly bytesOf: (initialPages: number, dirtiedPages: number, firstRound: boolean) => number;
  readonly durationOf: (bytes: number) => number;
}

function createSender(profile: DirtyProfile, link: PrecopyLink, policy: PrecopyPolicy): Sender {
  const whole = profile.pageSizeBytes + policy.pageOverheadBytes;
  const zeroShare = policy.zeroPageBytes === null ? 0 : (link.zeroShare ?? 0);
  const initial = whole * (1 - zeroShare) + (policy.zeroPageBytes ?? whole) * zeroShare;
  return {
    bytesOf: (initialPages, dirtiedPages, firstRound) =>
      initialPages * initial + dirtiedPages * whole + (firstRound ? profile.holePages * policy.holeBytes : 0),
    durationOf: (bytes) => (bytes / link.bandwidthBytesPerSecond) * 1000 + (link.roundOverheadMs ?? 0),
  };
}

/** Sends a share of what is pending and returns how long that took. */
function send(state: Course, sender: Sender, pending: Pending, share: number, paused: boolean): number {
  state.roundCount += 1;
  const [initial, dirtied] = [pending.initialPages * share, (pending.pages - pending.initialPages) * share];
  const pages = initial + dirtied;
  const bytes = sender.bytesOf(initial, dirtied, state.roundCount === 1);
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

/** The rounds while the guest runs. Returns what is left for the pause; null when it never comes to one. */
function sendLive(
  state: Course,
  sender: Sender,
  growth: Growth,
  memoryPages: number,
  policy: PrecopyPolicy,
  link: PrecopyLink,
): Pending | null {
  // What is left is judged by its size in memory: that some of it is zeros shows when it is sent.
  const fits = (pages: number) =>
    policy.untilPauseFits && sender.durationOf(sender.bytesOf(0, pages, false)) <= link.downtimeMs;
  const pagesIn = (ms: number) => ((ms / 1000) * link.bandwidthBytesPerSecond) / sender.bytesOf(0, 1, false);
  const pauseMs = link.downtimeMs - (link.roundOverheadMs ?? 0);
  const stepPages = pagesIn(policy.lookMs);
  // Somewhere in the step between two looks the rest begins to fit: at half of it on average.
  const restPages = policy.untilPauseFits ? Math.max(0, pagesIn(pauseMs) - stepPages / 2) : 0;
  const pending = new Pending(growth, memoryPages);
  for (let round = 1; round <= Math.min(policy.maximumLiveRounds, MAXIMUM_ROUNDS); round++) {
    const before = pending.pages;
    if (fits(before)) return pending;
    const last = before < policy.fewPages || round === policy.maximumLiveRounds;
    const rest = Math.max(0, Math.min(restPages, before - stepPages));
    const share = before === 0 ? 1 : 1 - rest / before;
    const roundMs = send(state, sender, pending, share, false);
    // QEMU stops its guest at once, Xen asks it to.
    pending.look(last ? roundMs + (link.suspendMs ?? 0) : roundMs, 1 - share);
    if (policy.untilPauseFits && pending.pages > before - LEAST_PROGRESS_PAGES) {
      return fits(pending.pages) ? pending : null;
    }
    if (last) return pending;
  }
  return policy.maximumLiveRounds === 0 ? pending : null;
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
