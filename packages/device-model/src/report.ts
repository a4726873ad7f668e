/** Where lines for the operator go. `cause` is one of few constants; lines of one cause are thinned out together. */
export type Report = (cause: string, text: string) => void;

export interface LogLimits {
  readonly linesPerSecond: number;
  /** Lines of one cause, over the life of the limiter. */
  readonly linesPerCause: number;
  /** Characters of all lines together, over the life of the limiter. */
  readonly totalCharacters: number;
}

/** security.md, figure 9: a guest may repeat what is logged as often as it likes (XSA-43, XSA-130, XSA-180). */
export const defaultLogLimits: LogLimits = { linesPerSecond: 10, linesPerCause: 100, totalCharacters: 1 << 20 };

const longestLine = 500;
const mostCauses = 256;

/**
 * A bucket of tokens, each back a second after it was taken: never more than `linesPerSecond` lines in a second,
 * wherever it begins. A line takes one when its cause was not heard in the last second and the caps are not reached.
 * What is held back is counted and told with the next line of the same cause.
 */
export class LogLimiter {
  readonly #write: (text: string) => void;
  readonly #nowMs: () => number;
  readonly #limits: LogLimits;
  readonly #causes = new Map<string, CauseState>();
  /** Shared by all causes that are too many to be remembered. */
  readonly #others = newCause();
  /** When each token was taken, the one taken longest ago at `#next`. */
  readonly #takenMs: Float64Array;
  #next = 0;
  #characters = 0;

  /** @param nowMs a monotonic clock in milliseconds */
  constructor(write: (text: string) => void, nowMs: () => number, limits: LogLimits = defaultLogLimits) {
    this.#write = write;
    this.#nowMs = nowMs;
    this.#limits = limits;
    this.#takenMs = new Float64Array(limits.linesPerSecond).fill(-Infinity);
  }

  report(cause: string, text: string): void {
    const nowMs = this.#nowMs();
    const state = this.#stateOf(cause);
    const again = state.suppressed > 0 ? ` (and ${state.suppressed} more)` : '';
    const line = `${cause}: ${text.slice(0, longestLine)}${again}`;
    const room =
      nowMs - state.lastMs >= 1000 &&
      nowMs - (this.#takenMs[this.#next] ?? nowMs) >= 1000 &&
      state.lines < this.#limits.linesPerCause &&
      this.#characters + line.length <= this.#limits.totalCharacters;
    if (!room) {
      state.suppressed += 1;
      return;
    }
    state.lines += 1;
    state.suppressed = 0;
    state.lastMs = nowMs;
    this.#takenMs[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#takenMs.length;
    this.#characters += line.length;
    this.#write(line);
  }

  #stateOf(cause: string): CauseState {
    const known = this.#causes.get(cause);
    if (known !== undefined) return known;
    if (this.#causes.size >= mostCauses) return this.#others;
    const state = newCause();
    this.#causes.set(cause, state);
    return state;
  }
}

interface CauseState {
  lines: number;
  suppressed: number;
  lastMs: number;
}

function newCause(): CauseState {
  return { lines: 0, suppressed: 0, lastMs: -Infinity };
}
