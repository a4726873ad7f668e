import type { FakeHandler } from '../../src/testing/index.js';

/** A handler whose replies are let go by hand. */
export function gate(): { handler: FakeHandler; open: () => void; waiting: () => number } {
  const waiting: (() => void)[] = [];
  return {
    handler: () => new Promise<void>((resolve) => waiting.push(resolve)),
    open: () => waiting.shift()?.(),
    waiting: () => waiting.length,
  };
}

/** Long enough for everything that is under way in this process. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
