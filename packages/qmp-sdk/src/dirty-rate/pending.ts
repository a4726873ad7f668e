import type { Growth } from './growth.js';

/** A part of the pages: written up to `beganMs` before the last look at the log, and not since the next part began. */
interface Generation {
  /** Of these pages, the part that no round has sent since. */
  share: number;
  beganMs: number;
}

/** More are too small to matter; the two oldest become one. */
const MAXIMUM_GENERATIONS = 16;

/**
 * The pages that a sender knows of and has not sent, as it reads and clears the log between rounds. A round may leave
 * some of them, of every age alike; those that the guest writes again meanwhile are not counted twice.
 *
 *     look        look         look     last look        U: the growth curve, for how many pages were written
 *      |           | U(b) - U(a)|           |            in the last b and not in the last a milliseconds
 *      |           |            |<--- a --->|
 *      |           |<---------- b --------->|
 */
export class Pending {
  readonly #growth: Growth;
  readonly #memoryPages: number;
  /** The youngest first. */
  readonly #generations: Generation[] = [];
  /** Of the pages not written since the beginning, the part that was not sent. */
  #initialShare = 1;
  /** All, in pages. */
  pages: number;
  /** Those that were not written since the beginning. */
  initialPages: number;

  constructor(growth: Growth, memoryPages: number) {
    this.#growth = growth;
    this.#memoryPages = memoryPages;
    this.pages = memoryPages;
    this.initialPages = memoryPages;
  }

  /** The log is read, `roundMs` after it was last; that round sent all but `leftShare` (0 to 1) of what was pending. */
  look(roundMs: number, leftShare: number): void {
    this.#initialShare *= leftShare;
    for (const generation of this.#generations) {
      generation.share *= leftShare;
      generation.beganMs += roundMs;
    }
    this.#generations.unshift({ share: 1, beganMs: roundMs });
    if (leftShare === 0) this.#generations.splice(1);
    this.#count();
  }

  #count(): void {
    let written = 0;
    let pages = 0;
    let last = 0;
    for (const { share, beganMs } of this.#generations) {
      const all = Math.max(written, this.#growth(beganMs));
      last = share * (all - written);
      pages += last;
      written = all;
    }
    this.initialPages = this.#initialShare * Math.max(0, this.#memoryPages - written);
    this.pages = pages + this.initialPages;
    if (this.#generations.length > MAXIMUM_GENERATIONS) this.#join(written, last);
  }

  /** @param last pages of the oldest generation */
  #join(written: number, last: number): void {
    const [before, younger, older] = this.#generations.slice(-3);
    if (!before || !younger || !older) return;
    const start = this.#growth(before.beganMs);
    const all = Math.max(0, written - start);
    const both = younger.share * Math.max(0, this.#growth(younger.beganMs) - start) + last;
    this.#generations.splice(-2, 2, { share: all === 0 ? 0 : both / all, beganMs: older.beganMs });
  }
}
