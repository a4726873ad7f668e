import type { ExtensionName, QmpEvent } from '../qmp/command-map.js';
import type { Commands } from '../types/index.js';
import { isCommandError } from '../qmp/errors.js';
import type { JsonObject } from '../qmp/json.js';
import { QmpOperationError, QmpOperationErrorCode, unexpectedResult } from './errors.js';
import { Latest } from './latest.js';
import type { QmpMonitor, ResultOf, WaitOptions } from './monitor.js';
import { keep, Observer } from './observer.js';

/** Jobs that QEMU forgets, with their error text, when they end, unless it is told otherwise. */
const selfDismissing = [
  'block-commit',
  'block-stream',
  'blockdev-backup',
  'blockdev-mirror',
  'drive-backup',
  'drive-mirror',
] as const;
/** Jobs that always stay until they are dismissed. */
type StayingJob = 'blockdev-create' | 'snapshot-save' | 'snapshot-load' | 'snapshot-delete';

/** The commands that start a job. */
export type JobCommand = (typeof selfDismissing)[number] | StayingJob;

/** A job command's arguments; its id and its dismissal are the helper's. */
export type JobArguments<N> = N extends JobCommand
  ? Omit<Commands[N]['args'], 'job-id' | 'auto-dismiss'>
  : JsonObject;

export interface JobOptions extends WaitOptions {
  /** Unique among QEMU's jobs and block devices; made up if it is not given. */
  readonly id?: string;
}

export interface JobProgress {
  /** QEMU's JobStatus; a `paused` or `standby` for a moment is normal while a job starts. */
  readonly status: string;
  /** In a unit of the job's own, often bytes. The total grows when a running guest makes more work. */
  readonly current: number;
  readonly total: number;
}

/** A job ended without success. `code` tells: failed, cancelled, or gone without a word. */
export class QmpJobError extends QmpOperationError {
  readonly jobId: string;

  constructor(code: QmpOperationErrorCode, jobId: string, message: string, next: string, cause?: unknown) {
    super(code, message, { next, cause });
    this.name = 'QmpJobError';
    this.jobId = jobId;
  }
}

/**
 * Starts a job and follows it to its end. It is told to stay when it has ended, so that its error is kept even if
 * it fails before the reply to its command; then it is read and dismissed here.
 *
 * An aborted `signal` cancels the job.
 *
 * @throws QmpCommandError when QEMU refuses to start it; QmpTimeoutError, QmpClosedError: it may run.
 */
export async function startJob<N extends JobCommand | ExtensionName>(
  monitor: QmpMonitor,
  command: N,
  args: JobArguments<N>,
  options: JobOptions = {},
): Promise<QmpJob> {
  const id = options.id ?? inventId(command);
  const job = new QmpJob(monitor, id, options);
  const stays = (selfDismissing as readonly string[]).includes(command) ? { 'auto-dismiss': false } : {};
  try {
    await monitor.raw(command, { ...(args as JsonObject), ...stays, 'job-id': id });
  } catch (error) {
    job.forget();
    throw error;
  }
  job.follow();
  return job;
}

/** Follows a job that exists already, such as after a reconnect. If it is gone, `done` says so. */
export function followJob(monitor: QmpMonitor, id: string, options: WaitOptions = {}): QmpJob {
  const job = new QmpJob(monitor, id, options);
  job.follow();
  return job;
}

/** One running job (`query-jobs`). Made by {@link startJob} and {@link followJob}. */
export class QmpJob implements AsyncDisposable {
  readonly id: string;
  /**
   * Resolves when the job has succeeded. Rejects with {@link QmpJobError}, or with the client's error when the
   * connection ended or QEMU no longer answers: the job's fate is unknown then.
   */
  readonly done: Promise<void>;
  readonly #monitor: QmpMonitor;
  readonly #observer: Observer<() => void>;
  readonly #signal: AbortSignal | undefined;
  readonly #progress = new Latest<JobProgress>();
  #settle: { resolve: () => void; reject: (error: unknown) => void };
  #cancelCause: unknown;
  #cancelled = false;
  #ended = false;
  /** What BLOCK_JOB_COMPLETED said, for a job that vanishes. */
  #lastWords: { readonly error: string | undefined } | undefined;
  #absences = 0;

  constructor(monitor: QmpMonitor, id: string, { signal, pollIntervalMs }: WaitOptions) {
    this.id = id;
    this.#monitor = monitor;
    this.#signal = signal;
    this.#settle = { resolve: () => {}, reject: () => {} };
    this.done = keep(new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject })));
    this.#observer = new Observer(monitor, {
      what: `job ${id}`,
      events: ['JOB_STATUS_CHANGE', 'BLOCK_JOB_COMPLETED', 'BLOCK_JOB_CANCELLED'],
      // JOB_* events name the job as `id`, BLOCK_JOB_* as `device`.
      where: ({ data }) => isObject(data) && (data['id'] ?? data['device']) === id,
      onEvent: (event) => this.#onEvent(event),
      poll: (timeoutMs) => this.#poll(timeoutMs),
      ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
    });
  }

  /** Progress as it comes: at each change of status and each poll. Ends with the job; why is what `done` says. */
  progress(): AsyncGenerator<JobProgress, void, undefined> {
    return this.#progress.read();
  }

  /** Ends the job without its result (`job-cancel`, which forces). `done` then rejects; wait for that. */
  async cancel(cause?: unknown): Promise<void> {
    this.#cancelled = true;
    this.#cancelCause ??= cause;
    await this.#unlessEnded('job-cancel');
  }

  /** Has a mirror or commit that is `ready` switch over (`job-complete`). */
  async complete(): Promise<void> {
    await this.#monitor.raw('job-complete', { id: this.id });
  }

  /** Lets a job that was started with `auto-finalize: false` and is `pending` make its changes. */
  async finalize(): Promise<void> {
    await this.#monitor.raw('job-finalize', { id: this.id });
  }

  async pause(): Promise<void> {
    await this.#monitor.raw('job-pause', { id: this.id });
  }

  async resume(): Promise<void> {
    await this.#monitor.raw('job-resume', { id: this.id });
  }

  /** Cancels a job that still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    await this.cancel().catch(() => {});
    await this.done.catch(() => {});
  }

  /** @internal For a job that was never started. */
  forget(): void {
    this.#end();
    this.#settle.resolve();
  }

  /** @internal */
  follow(): void {
    const cancel = () => void this.cancel(this.#signal?.reason).catch(() => {});
    if (this.#signal?.aborted === true) cancel();
    this.#signal?.addEventListener('abort', cancel, { once: true });
    void this.#observer
      .settle()
      .then((outcome) => typeof outcome === 'function' && outcome())
      .then(() => this.#settle.resolve())
      .catch((error: unknown) => this.#settle.reject(error))
      .finally(() => {
        this.#signal?.removeEventListener('abort', cancel);
        this.#end();
      });
  }

  #end(): void {
    this.#ended = true;
    this.#observer.close();
    this.#progress.end();
  }

  async #onEvent({ event, data }: QmpEvent): Promise<(() => void) | undefined> {
    const { status, error } = data as { readonly status?: unknown; readonly error?: unknown };
    if (event !== 'JOB_STATUS_CHANGE') {
      if (event === 'BLOCK_JOB_CANCELLED') this.#cancelled = true;
      else this.#lastWords = { error: typeof error === 'string' ? error : undefined };
      return undefined;
    }
    return status === 'null' ? this.#vanished() : this.#look(undefined);
  }

  async #poll(timeoutMs: number | undefined): Promise<(() => void) | undefined> {
    const found = await this.#look(timeoutMs);
    // What tells its end may be on its way to this reader, until the next interval.
    return this.#absences > 1 ? this.#vanished() : found;
  }

  async #look(timeoutMs: number | undefined): Promise<(() => void) | undefined> {
    const jobs = await this.#monitor.raw<ResultOf<'query-jobs'>>('query-jobs', {}, timeoutOf(timeoutMs));
    if (!Array.isArray(jobs)) throw unexpectedResult('query-jobs', 'list');
    const job = jobs.find(({ id }) => id === this.id);
    if (job === undefined) {
      this.#absences += 1;
      return undefined;
    }
    this.#progress.publish({
      status: job.status,
      current: job['current-progress'],
      total: job['total-progress'],
    });
    if (job.status !== 'concluded') return undefined;
    await this.#unlessEnded('job-dismiss');
    return () => this.#conclude(job.error);
  }

  #vanished(): () => void {
    const lastWords = this.#lastWords;
    if (lastWords || this.#cancelled)
      return () => this.#conclude(lastWords?.error ?? (this.#cancelled ? '' : undefined));
    return () => {
      throw new QmpJobError(
        QmpOperationErrorCode.jobVanished,
        this.id,
        `job ${this.id} is gone, and nobody said how it ended`,
        'Somebody else dismissed it, or it was started to dismiss itself; look at what it was to make.',
      );
    };
  }

  #conclude(error: string | undefined): void {
    if (error === undefined) return;
    if (this.#cancelled) {
      throw new QmpJobError(
        QmpOperationErrorCode.jobCancelled,
        this.id,
        error === '' ? `job ${this.id} was cancelled` : `job ${this.id} was cancelled: ${error}`,
        'Start it again if it is still wanted; what it wrote so far is incomplete.',
        this.#cancelCause,
      );
    }
    throw new QmpJobError(
      QmpOperationErrorCode.jobFailed,
      this.id,
      `job ${this.id} failed: ${error}`,
      'Remove the cause and start it again.',
    );
  }

  /** A command about a job that may have ended, or been dismissed by somebody else, in between. */
  async #unlessEnded(command: string): Promise<void> {
    try {
      await this.#monitor.raw(command, { id: this.id });
    } catch (error) {
      if (!isCommandError(error)) throw error;
    }
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export function timeoutOf(timeoutMs: number | undefined): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs };
}

/** Letters first, as QEMU wants ids; the suffix tells apart what one QEMU runs at the same time. */
function inventId(command: string): string {
  const suffix = Math.floor(Math.random() * 2 ** 32).toString(36);
  return `xenpt-${command}-${suffix}`;
}
