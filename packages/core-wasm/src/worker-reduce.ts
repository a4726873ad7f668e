import type { ScanJob } from './worker-job.js';
import { chunkScanner, scanChunks } from './worker-scan.js';
import { mayBlock } from './worker-host.js';

/** So long the pool's own thread scans before timers, sockets and an abort have their turn: half a frame at 60 Hz. */
export const SLICE_MS = 8;

/** Less than what a worker's last chunk takes: then being told by message (50 µs) is the better way to wait. */
export const BLOCK_MS = 0.5;
const BLOCK_ROUNDS = 4;

/**
 * Runs a scan that ends in one number or in counts.
 *
 * @param ownScans whether this thread takes part
 * @returns the number
 */
export async function reduce(job: ScanJob, ownScans: boolean): Promise<number> {
  const stopReporting = job.reportRegularly();
  try {
    job.callWorkers();
    if (ownScans) await scanHere(job);
    await finish(job, ownScans && mayBlock());
    job.report();
    await job.throwIfFailed();
    return job.control.result;
  } finally {
    stopReporting();
  }
}

async function scanHere(job: ScanJob): Promise<void> {
  const task = job.ownTask;
  // What has no output needs no workspace: the bitmap's own core will do.
  const scan = chunkScanner(task, job.ownCores()[0] ?? job.plan.bitmap.core);
  for (;;) {
    const until = performance.now() + SLICE_MS;
    if (scanChunks(job.control, task, scan, () => performance.now() < until)) return;
    if (job.control.cancelled) return;
    await nextTurn();
  }
}

/** Waits for the last chunks of the workers. */
async function finish(job: ScanJob, block: boolean): Promise<void> {
  for (let round = 0; !job.isComplete; round++) {
    if (job.failed) await job.throwIfFailed();
    const seen = job.control.events;
    if (job.isComplete) return;
    if (block && round < BLOCK_ROUNDS) job.blockForEvent(seen, BLOCK_MS);
    else await job.nextEvent(seen);
  }
}

/** A turn of the event loop: a resolved promise would let nothing else run. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate) return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
