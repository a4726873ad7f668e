import type { WindowPoint } from './growth.js';

/** Means of page counts by length of the window. */
export class WindowMeans {
  readonly #sums = new Map<number, { pages: number; elapsedMs: number; count: number }>();

  /**
   * @param doublings the window is the measuring interval times two to this power; windows of one power are averaged
   */
  add(doublings: number, pages: number, elapsedMs: number): void {
    const sum = this.#sums.get(doublings) ?? { pages: 0, elapsedMs: 0, count: 0 };
    this.#sums.set(doublings, {
      pages: sum.pages + pages,
      elapsedMs: sum.elapsedMs + elapsedMs,
      count: sum.count + 1,
    });
  }

  /** Ascending by length. */
  points(): WindowPoint[] {
    return [...this.#sums.values()]
      .map(({ pages, elapsedMs, count }) => ({ windowMs: elapsedMs / count, pages: pages / count, count }))
      .sort((a, b) => a.windowMs - b.windowMs);
  }
}
