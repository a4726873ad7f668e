// setTimeout runs at once for anything longer (HTML, Node: a signed 32-bit number of milliseconds).
const longestTimerMs = 2 ** 31 - 1;

/**
 * One timer for many deadlines. A command that is answered in time costs a comparison, not a timer of its own: the
 * timer runs at the earliest deadline it has heard of and asks what is next.
 */
export class Deadlines {
  readonly #expire: (now: number) => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedFor = Infinity;

  /** `expire` ends what is due at `now` (`performance.now()`) and returns the next deadline, Infinity for none. */
  constructor(expire: (now: number) => number) {
    this.#expire = expire;
  }

  add(deadline: number): void {
    if (deadline >= this.#armedFor) return;
    this.stop();
    this.#armedFor = deadline;
    const delayMs = Math.min(longestTimerMs, Math.max(0, Math.ceil(deadline - performance.now())));
    this.#timer = setTimeout(() => {
      this.#armedFor = Infinity;
      this.add(this.#expire(performance.now()));
    }, delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }
}
