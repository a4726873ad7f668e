/** Bounds of a measuring interval, milliseconds. The lower one is also QEMU's (`MIN_CALC_TIME_MS`): the shortest pause
 *  that it makes sense to ask of a migration; the upper one QEMU's longest `calc-time`. */
export const MINIMUM_INTERVAL_MS = 50;
export const MAXIMUM_INTERVAL_MS = 60_000;

/** What one look at a log of dirty pages brought. */
export interface Collected {
  /**
   * Bits that were written: page n is bit n, least significant first. More than before, if the guest's memory grew.
   */
  readonly pageCount: number;
}

interface SourceFacts {
  /** For people: `domain 5 (web)`, `qmp:/run/vm.sock`, `3 files`. */
  readonly description: string;
  /** Bytes of guest memory that one page (one bit) stands for. */
  readonly pageSizeBytes: number;
  /** Pages with memory behind them, without the holes in the guest's address space; null: not known. */
  readonly memoryPages: number | null;
  close(): Promise<void>;
}

/** A log of dirty pages that can be read and cleared, as the user of it sees it. */
export interface BitmapSource extends SourceFacts {
  readonly kind: 'bitmap';
  /** Pages that the map spans now, holes included. It may grow. */
  readonly pageCount: number;
  /**
   * `live`: time passes in the guest between two looks. `recorded`: each look is one interval that lies in the past.
   */
  readonly pace: 'live' | 'recorded';
  /**
   * Writes the pages dirtied since the last look into `into` (8 * ceil(pageCount / 64) bytes or more) and clears them
   * in the log. Null: a recording has come to its end.
   */
  collect(into: Uint8Array, signal?: AbortSignal): Promise<Collected | null>;
}

/** What a guest dirtied in one window, as a number: nobody says which pages. */
export interface RateReading {
  /** Different pages dirtied in the window. */
  readonly pages: number;
  /** Length of the window, milliseconds, as measured. */
  readonly elapsedMs: number;
  /** Set when a migration is running and its counters are what was read. */
  readonly migration?: MigrationCounters;
}

/** Counters of a precopy migration that is going on. */
export interface MigrationCounters {
  /** Passes over the dirty bitmap so far. */
  readonly syncCount: number;
  readonly transferredBytes: number;
  readonly remainingBytes: number;
  /** As QEMU measures it; 0 before it knows. */
  readonly throughputBytesPerSecond: number;
}

/** Somebody who measures the rate himself, such as QEMU. */
export interface RateSource extends SourceFacts {
  readonly kind: 'rate';
  /** Pages that the guest's memory has. */
  readonly pageCount: number;
  /** It measures windows of a multiple of this, milliseconds. */
  readonly windowStepMs: number;
  /** Watches the guest for `windowMs`. Null: it has gone, as after a migration that ended well. */
  measure(windowMs: number, signal?: AbortSignal): Promise<RateReading | null>;
}

export type DirtySource = BitmapSource | RateSource;

/** Time, as the measurement sees it; the default is the running machine's. */
export interface MeasureClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Rejects with the signal's reason when it is set off. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
