// What the pool and its workers say to each other. What is hot goes through shared words (worker-control.ts holds what
// is to be done, worker-doorbell.ts says that there is something); what only a message can carry, and what is rare,
// through comlink.
import type { CoreBuild } from './kernels.js';
import type { EncodedError } from './worker-errors.js';

/** A memory in which bitmaps lie, and the kernels that its core has. */
export interface SharedCore {
  readonly memory: WebAssembly.Memory;
  readonly build: CoreBuild;
  readonly simd: boolean;
}

/** The first message: all others go over the port, so that nobody else's messages are taken for ours. */
export interface Greeting {
  readonly port: MessagePort;
  readonly doorbell: SharedArrayBuffer;
  /** The worker's place in each scan. */
  readonly thread: number;
  readonly threadCount: number;
}

/** Sent beside comlink's messages when a consumer waits for one; comlink passes over what carries no `id`. */
export const WAKE = 'wake';

/** Sent beside comlink's messages: what a scan threw in the worker. */
export interface ScanFailure {
  readonly scanId: number;
  readonly failure: EncodedError;
}

/** `undefined`: the thread did what it was asked for. */
export type TaskReply = EncodedError | undefined;

/**
 * What the pool calls through comlink. It never throws: comlink would keep neither class nor code. A scan refers by
 * number to what has been introduced; a worker that does not know the number yet goes on when it does.
 */
export interface WorkerApi {
  /** Answers when every kernel has run once. */
  warmUp(): TaskReply;
  /** The control words of scans, one after the other, in a place of the table; what was there before is forgotten. */
  introduceSeat(seat: number, buffer: SharedArrayBuffer): void;
  introduceCore(coreId: number, core: SharedCore): void;
  forgetCore(coreId: number): void;
  introduceCounts(countsId: number, counts: SharedArrayBuffer): void;
  forgetCounts(countsId: number): void;
  /** The doorbell has been rung, and this engine has no way to wait for it. */
  attend(): void;
}
