import type { Commands } from '../types/index.js';
import type { JsonObject } from '../qmp/json.js';
import { QmpOperationError, QmpOperationErrorCode } from './errors.js';
import { timeoutOf } from './jobs.js';
import { Latest } from './latest.js';
import { applyMigrationSettings, type MigrationSettings } from './migration-settings.js';
import type { QmpMonitor, ResultOf, WaitOptions } from './monitor.js';
import { keep, Observer } from './observer.js';

const POLL_INTERVAL_MS = 500;

/** Where a migration goes to or comes from: `{ uri: 'unix:/run/m.sock' }`, or `channels` (since QEMU 8.2). */
export type MigrationTarget = Pick<Commands['migrate']['args'], 'uri' | 'channels'>;

export interface MigrationOptions extends MigrationSettings, WaitOptions {
  /**
   * Runs when the guest stands still and only its last memory and its devices are missing; the migration goes on
   * when it has resolved, and is cancelled when it rejects. Switches `pause-before-switchover` on.
   */
  readonly beforeSwitchover?: (progress: MigrationProgress) => unknown;
}

export interface MigrationProgress {
  /** QEMU's MigrationStatus: `setup`, `active`, `pre-switchover`, `device`, `completed`, … */
  readonly status: string;
  readonly totalBytes: number;
  readonly transferredBytes: number;
  /** Goes up when the guest writes faster than memory is sent. */
  readonly remainingBytes: number;
  readonly elapsedMs: number;
  readonly expectedDowntimeMs: number | undefined;
  /** All that `query-migrate` said. */
  readonly info: ResultOf<'query-migrate'>;
}

/** A migration did not complete. The guest goes on where it was, unless the switch-over had begun. */
export class QmpMigrationError extends QmpOperationError {
  /** The last thing that `query-migrate` said. */
  readonly info: ResultOf<'query-migrate'> | undefined;

  constructor(
    code: QmpOperationErrorCode,
    message: string,
    options: { next: string; info: ResultOf<'query-migrate'> | undefined; cause?: unknown },
  ) {
    super(code, message, { next: options.next, cause: options.cause });
    this.name = 'QmpMigrationError';
    this.info = options.info;
  }
}

/**
 * Sends a guest to another QEMU, which waits with the same devices (`-incoming`, or {@link acceptMigration}).
 * Capability `events` is switched on, without which QEMU tells nothing. Settings that were changed are put back
 * unless the migration completes; after that the guest is `postmigrate`, and this QEMU is best ended with `quit`.
 *
 * An aborted `signal` cancels it.
 *
 * @throws QmpCommandError when QEMU refuses the settings or the migration.
 */
export async function startMigration(
  monitor: QmpMonitor,
  target: MigrationTarget,
  options: MigrationOptions = {},
): Promise<QmpMigration> {
  return begin(monitor, 'migrate', target, options);
}

/**
 * Has a QEMU that was started with `-incoming defer` wait for a guest. An aborted `signal` ends the waiting only. A
 * QEMU that cannot take what arrives ends itself (before 9.1 always): `done` then rejects with QmpClosedError.
 */
export async function acceptMigration(
  monitor: QmpMonitor,
  target: MigrationTarget,
  options: Omit<MigrationOptions, 'beforeSwitchover'> = {},
): Promise<QmpMigration> {
  return begin(monitor, 'migrate-incoming', target, options);
}

async function begin(
  monitor: QmpMonitor,
  command: 'migrate' | 'migrate-incoming',
  target: MigrationTarget,
  options: MigrationOptions,
): Promise<QmpMigration> {
  const pause = options.beforeSwitchover ? { 'pause-before-switchover': true } : {};
  const capabilities = { ...options.capabilities, ...pause, events: true };
  const putBack = await applyMigrationSettings(monitor, { ...options, capabilities });
  const migration = new QmpMigration(monitor, command === 'migrate' ? 'source' : 'destination', options, putBack);
  try {
    await monitor.raw(command, target as JsonObject);
  } catch (error) {
    migration.forget();
    await putBack();
    throw error;
  }
  migration.follow();
  return migration;
}

/** One running migration. Made by {@link startMigration} and {@link acceptMigration}. */
export class QmpMigration implements AsyncDisposable {
  /**
   * Resolves with the last figures when the guest runs on the other side. Rejects with {@link QmpMigrationError},
   * or with the client's error when the connection ended or QEMU no longer answers.
   */
  readonly done: Promise<MigrationProgress>;
  readonly #monitor: QmpMonitor;
  readonly #role: 'source' | 'destination';
  readonly #options: MigrationOptions;
  readonly #putBack: () => Promise<void>;
  readonly #observer: Observer<MigrationProgress>;
  readonly #progress = new Latest<MigrationProgress>();
  #settle: { resolve: (progress: MigrationProgress) => void; reject: (error: unknown) => void };
  #cancelCause: unknown;
  #pauseAnswered = false;
  #ended = false;

  constructor(
    monitor: QmpMonitor,
    role: 'source' | 'destination',
    options: MigrationOptions,
    putBack: () => Promise<void>,
  ) {
    this.#monitor = monitor;
    this.#role = role;
    this.#options = options;
    this.#putBack = putBack;
    this.#settle = { resolve: () => {}, reject: () => {} };
    this.done = keep(new Promise<MigrationProgress>((resolve, reject) => (this.#settle = { resolve, reject })));
    this.#observer = new Observer(monitor, {
      what: 'migration',
      events: ['MIGRATION'],
      poll: (timeoutMs) => this.#poll(timeoutMs),
      pollIntervalMs: options.pollIntervalMs ?? POLL_INTERVAL_MS,
      // On the source the signal cancels, and the end of that is waited for.
      ...(role === 'destination' && options.signal ? { signal: options.signal } : {}),
    });
  }

  /** Figures as they come: at each event and each poll. Ends with the migration; why is what `done` says. */
  progress(): AsyncGenerator<MigrationProgress, void, undefined> {
    return this.#progress.read();
  }

  /** Of the source: stops sending; the guest goes on here. `done` then rejects, unless it was too late. */
  async cancel(cause?: unknown): Promise<void> {
    this.#cancelCause ??= cause;
    await this.#monitor.raw('migrate_cancel');
  }

  /** Of the source, with capability `postcopy-ram`: switches over now and sends the rest afterwards. */
  async startPostcopy(): Promise<void> {
    await this.#monitor.raw('migrate-start-postcopy');
  }

  /** Cancels a migration that still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    if (this.#role === 'destination') return this.#end();
    await this.cancel().catch(() => {});
    await this.done.catch(() => {});
  }

  /** @internal For a migration that was never started. */
  forget(): void {
    this.#end();
  }

  /** @internal */
  follow(): void {
    const { signal } = this.#options;
    const cancel = () => void this.cancel(signal?.reason).catch(() => {});
    if (this.#role === 'source') {
      if (signal?.aborted === true) cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    }
    void this.#observer
      .settle()
      .then((progress) => typeof progress === 'object' && this.#settle.resolve(progress))
      .catch(async (error: unknown) => {
        await this.#putBack();
        this.#settle.reject(error);
      })
      .finally(() => {
        signal?.removeEventListener('abort', cancel);
        this.#end();
      });
  }

  #end(): void {
    this.#ended = true;
    this.#observer.close();
    this.#progress.end();
  }

  async #poll(timeoutMs: number | undefined): Promise<MigrationProgress | undefined> {
    const info = await this.#monitor.raw<ResultOf<'query-migrate'>>('query-migrate', {}, timeoutOf(timeoutMs));
    const progress = toProgress(info);
    this.#progress.publish(progress);
    switch (progress.status) {
      case 'completed':
        return progress;
      case 'failed':
        throw failed(info);
      case 'cancelled':
        throw cancelled(info, this.#cancelCause);
      case 'pre-switchover':
        await this.#answerPause(progress);
        return undefined;
      default:
        return undefined;
    }
  }

  async #answerPause(progress: MigrationProgress): Promise<void> {
    const { beforeSwitchover } = this.#options;
    if (!beforeSwitchover || this.#pauseAnswered) return;
    this.#pauseAnswered = true;
    try {
      await Promise.race([Promise.resolve(progress).then(beforeSwitchover), lost(this.#monitor)]);
    } catch (error) {
      return this.cancel(error);
    }
    await this.#monitor.raw('migrate-continue', { state: 'pre-switchover' });
  }
}

async function lost(monitor: QmpMonitor): Promise<never> {
  throw (await monitor.closed).error;
}

function toProgress(info: ResultOf<'query-migrate'>): MigrationProgress {
  return {
    status: info.status ?? 'none',
    totalBytes: info.ram?.total ?? 0,
    transferredBytes: info.ram?.transferred ?? 0,
    remainingBytes: info.ram?.remaining ?? 0,
    elapsedMs: info['total-time'] ?? 0,
    expectedDowntimeMs: info['expected-downtime'],
    info,
  };
}

function failed(info: ResultOf<'query-migrate'>): QmpMigrationError {
  const reason = info['error-desc'];
  return new QmpMigrationError(
    QmpOperationErrorCode.migrationFailed,
    reason === undefined ? 'the migration failed; QEMU does not say why' : `the migration failed: ${reason}`,
    { next: 'Query the state of both sides; the log of the other QEMU may say more.', info },
  );
}

function cancelled(info: ResultOf<'query-migrate'>, cause: unknown): QmpMigrationError {
  return new QmpMigrationError(QmpOperationErrorCode.migrationCancelled, 'the migration was cancelled', {
    next: 'The guest runs on where it was; start it again if it is still wanted.',
    info,
    cause,
  });
}
