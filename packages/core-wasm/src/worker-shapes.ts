import type { FrameBatch, RunBatch } from './bitmap.js';
import type { BatchShape } from './worker-stream.js';

export function frameBatches(baseFrame: number): BatchShape<FrameBatch> {
  return {
    push: (pages, end) => (pages.length === 0 ? [] : [{ pages, baseFrame, nextFrame: baseFrame + end }]),
    flush: () => [],
  };
}

/**
 * The threads scan pieces, and a run may lie in several: a run that reaches the end of its piece is held back until
 * the next piece tells how it goes on.
 */
export function runBatches(baseFrame: number): BatchShape<RunBatch> {
  let held: { readonly start: number; readonly length: number } | undefined;

  const batchOf = (pairs: Uint32Array, next: number): RunBatch => {
    return { pairs, runCount: pairs.length / 2, baseFrame, nextFrame: baseFrame + next };
  };
  const flush = (): RunBatch[] => {
    if (!held) return [];
    const { start, length } = held;
    held = undefined;
    return [batchOf(Uint32Array.of(start, length), start + length)];
  };
  const push = (output: Uint32Array, end: number): RunBatch[] => {
    let pairs = output;
    const batches: RunBatch[] = [];
    if (held && pairs[0] === held.start + held.length) {
      pairs[0] = held.start;
      pairs[1] = (pairs[1] ?? 0) + held.length;
      held = undefined;
    } else batches.push(...flush());
    const [start = 0, length = 0] = pairs.subarray(-2);
    if (pairs.length > 0 && start + length === end) {
      held = { start, length };
      pairs = pairs.subarray(0, -2);
    }
    if (pairs.length > 0) batches.push(batchOf(pairs, held?.start ?? end));
    return batches;
  };
  return { push, flush };
}
