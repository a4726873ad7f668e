import type { WindowPoint } from './growth.js';
import type { MigrationCounters } from './source.js';

/** Dirty pages by region of guest memory. */
export interface Heat {
  /** A power of two. Region i begins at frame i * regionPages. */
  readonly regionPages: number;
  /** Dirty pages of each region. */
  readonly counts: Uint32Array;
}

/** What is known after a sample about all samples so far. */
export interface Accumulated {
  readonly samples: number;
  readonly elapsedMs: number;
  /** Different pages dirtied, by length of the window. */
  readonly windows: readonly WindowPoint[];
  /** Null where the source does not say which pages. */
  readonly sets: {
    /** Pages dirty in at least one, two, three samples, and in every one. */
    readonly once: number;
    readonly twice: number;
    readonly thrice: number;
    readonly always: number;
  } | null;
}

/** One measuring interval. Null members: the source does not say which pages. */
export interface DirtySample {
  /** From 0. */
  readonly index: number;
  /** When it ended, milliseconds since the measurement began. */
  readonly endMs: number;
  /** How long it really was; rates are computed with it. */
  readonly elapsedMs: number;
  /** How much longer than the interval asked for. */
  readonly overrunMs: number;
  /** Time spent in reading the log; 0 for a source that measures for itself. */
  readonly scanMs: number;
  /** Pages that the map spans. */
  readonly pageCount: number;
  /** Different pages dirtied. */
  readonly pages: number;
  readonly pagesPerSecond: number;
  /** Never seen dirty before, in this measurement. */
  readonly newPages: number | null;
  /** Dirty in the sample before, too. */
  readonly repeatedPages: number | null;
  readonly heat: Heat | null;
  readonly migration: MigrationCounters | null;
  readonly accumulated: Accumulated;
}
