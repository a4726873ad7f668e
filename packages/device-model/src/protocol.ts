import type { AttachedFunction, AttachRequest } from './guest-model.js';
import type { PlacementOptions } from './placement.js';
import type { FunctionReport } from './served-function.js';

/** What the main thread hands its worker at the start. Everything in this file crosses threads by structured clone. */
export interface WorkerOptions {
  readonly domid: number;
  readonly vcpuCount: number;
  /** Event channel that ends the worker's wait when the main thread has a call for it. */
  readonly wakePort: number;
  /** Of `Statistics`: written by the worker, read by the main thread. */
  readonly statistics: SharedArrayBuffer;
  readonly placement?: PlacementOptions;
  /** Where the state of the model is kept, if another process shall be able to go on. */
  readonly statePath?: string;
}

/** Calls of the main thread, each with what it takes and gives. */
export interface WorkerCalls {
  attach: { takes: AttachRequest; gives: AttachedFunction };
  detach: { takes: string; gives: null };
  view: { takes: string; gives: FunctionReport };
  /** Takes the slots whose ejects QEMU was given, gives those that it has to be given. */
  expectEjects: { takes: number; gives: number };
  ignoreEjects: { takes: null; gives: null };
  /** The domain is gone: nothing of it may be called any more. The worker ends. */
  domainDied: { takes: null; gives: null };
  /** Everything is released, the ioreq server destroyed. The worker ends. */
  stop: { takes: null; gives: null };
}

export type WorkerMethod = keyof WorkerCalls;

export interface WorkerCall<M extends WorkerMethod = WorkerMethod> {
  readonly id: number;
  readonly method: M;
  readonly argument: WorkerCalls[M]['takes'];
}

/** An error as it crosses threads: classes do not, codes do. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly step: string | null;
  readonly left: readonly string[];
}

export type WorkerMessage =
  | { readonly type: 'ready'; readonly serverId: number }
  /** The functions that the guest has: before `ready`, and after whatever may have changed them. */
  | { readonly type: 'devices'; readonly sbdfs: readonly string[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'log'; readonly text: string }
  /** The worker cannot go on, or never started. */
  | { readonly type: 'fatal'; readonly error: PlainError };

export function toPlainError(error: unknown): PlainError {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const { name, message, code, step, left } = fields;
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : String(error),
    code: typeof code === 'string' ? code : null,
    step: typeof step === 'string' ? step : null,
    left: Array.isArray(left) ? left.map(String) : [],
  };
}
