// How a worker that has nothing to do learns that there is something: two shared words.
//
//   0 times rung | 1 who is told: 0 nobody, 1 who waits for word 0, 2 by message

const RUNG = 0;
const TOLD = 1;
const Told = { nobody: 0, byWord: 1, byMessage: 2 } as const;

type Outcome = 'not-equal' | 'timed-out' | 'ok';
type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { readonly async: false; readonly value: Outcome } | { readonly async: true; readonly value: Promise<Outcome> };

/**
 * Atomics.waitAsync of ES2024, where the engine has it: Node 16, Chromium 87, Safari 16.4 and later.
 *
 * @returns a promise that is fulfilled when the word is notified; `undefined`: it is not `value` any more
 */
export function waitAsync(words: Int32Array, index: number, value: number): Promise<unknown> | undefined {
  const outcome = asynchronousWait()?.(words, index, value);
  return outcome?.async === true ? outcome.value : undefined;
}

export function canWaitAsync(): boolean {
  return asynchronousWait() !== undefined;
}

function asynchronousWait(): WaitAsync | undefined {
  return (Atomics as { waitAsync?: WaitAsync }).waitAsync;
}

/** Looks until it sees it, at most so long. @returns whether it did */
export function spin(timeoutMs: number, seen: () => boolean): boolean {
  const until = performance.now() + timeoutMs;
  do {
    for (let look = 0; look < 32; look++) if (seen()) return true;
  } while (performance.now() < until);
  return false;
}

/** The bell of one worker. The pool rings; a ring that nobody heard is found by looking at `rung`. */
export class Doorbell {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  get rung(): number {
    return Atomics.load(this.#words, RUNG);
  }

  /** @returns whether the worker has to be sent a message */
  ring(): boolean {
    Atomics.add(this.#words, RUNG, 1);
    const told = Atomics.exchange(this.#words, TOLD, Told.nobody);
    if (told === Told.byWord) Atomics.notify(this.#words, RUNG);
    return told === Told.byMessage;
  }

  /** For the worker. It is called sooner than by `listen`, but blocked. @returns false: not rung within the time */
  waitBlocked(seen: number, timeoutMs: number): boolean {
    Atomics.store(this.#words, TOLD, Told.byWord);
    const outcome = Atomics.wait(this.#words, RUNG, seen, timeoutMs);
    return outcome !== 'timed-out';
  }

  /**
   * For the worker. Its messages are served meanwhile.
   *
   * @param seen the number of rings after which it has looked at everything
   * @returns how it will learn of the next ring: `onRing` is called, or a message comes; or that it has been rung since
   */
  listen(seen: number, onRing: () => void): 'call' | 'message' | 'rung' {
    const byWord = canWaitAsync();
    Atomics.store(this.#words, TOLD, byWord ? Told.byWord : Told.byMessage);
    if (!byWord) return this.rung === seen ? 'message' : 'rung';
    const ring = waitAsync(this.#words, RUNG, seen);
    void ring?.then(onRing);
    return ring ? 'call' : 'rung';
  }
}
