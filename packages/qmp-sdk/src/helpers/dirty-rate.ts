import type { Commands } from '../types/index.js';
import type { JsonObject } from '../qmp/json.js';
import { QmpUnsupportedError } from '../qmp/errors.js';
import { QmpOperationError, QmpOperationErrorCode } from './errors.js';
import { timeoutOf } from './jobs.js';
import type { QmpMonitor, ResultOf, WaitOptions } from './monitor.js';
import { expired, Observer } from './observer.js';

/** QEMU measures in a thread that it starts; on a busy host it starts late. */
const LATENESS_MS = 30_000;
const FIRST_SAFE_MAJOR = 10;

export interface DirtyRateOptions extends WaitOptions {
  /** 1 s. Whole seconds, from 1 to 60; since QEMU 8.2 also milliseconds, from 50 on. */
  readonly durationMs?: number;
  /**
   * `page-sampling` compares checksums of some pages and underestimates a guest that writes everywhere;
   * `dirty-bitmap` counts every page and slows the guest down; `dirty-ring` tells vCPUs apart and needs KVM with
   * `dirty-ring-size`.
   */
  readonly mode?: NonNullable<Commands['calc-dirty-rate']['args']['mode']>;
  /** Pages sampled per GiB, for `page-sampling`. */
  readonly samplePages?: number;
}

export interface DirtyRate {
  readonly mebibytesPerSecond: number;
  readonly mode: string;
  readonly durationMs: number;
  /** By vCPU, where the mode tells them apart. */
  readonly vcpus: readonly { readonly id: number; readonly mebibytesPerSecond: number }[];
}

/**
 * Measures how fast a running guest writes to its memory, which tells whether a migration can converge.
 * QEMU measures once at a time and cannot be stopped: an aborted `signal` ends the waiting only.
 *
 * @throws QmpCommandError when this QEMU or machine cannot measure so, or is measuring already.
 */
export async function measureDirtyRate(monitor: QmpMonitor, options: DirtyRateOptions = {}): Promise<DirtyRate> {
  const { durationMs = 1000, mode, samplePages, signal } = options;
  const wholeSeconds = durationMs % 1000 === 0;
  const args: JsonObject = {
    'calc-time': wholeSeconds ? durationMs / 1000 : durationMs,
    // Left out where it is not needed: before 8.2 it is an unknown argument.
    'calc-time-unit': wholeSeconds ? undefined : 'millisecond',
    'sample-pages': samplePages,
    mode,
  };
  if (mode !== undefined && mode !== 'page-sampling') await requireKvm(monitor, mode);
  await monitor.raw('calc-dirty-rate', args);
  using observer = new Observer(monitor, {
    what: 'the dirty rate',
    // None tells that it is done.
    events: ['STOP', 'RESUME'],
    poll: async (timeoutMs) => {
      const info = await monitor.raw<ResultOf<'query-dirty-rate'>>('query-dirty-rate', {}, timeoutOf(timeoutMs));
      return info.status === 'measuring' ? undefined : info;
    },
    pollIntervalMs: options.pollIntervalMs ?? Math.min(250, Math.max(20, durationMs / 4)),
    timeoutMs: durationMs + LATENESS_MS,
    ...(signal ? { signal } : {}),
  });
  const info = await observer.settle();
  const rate = info === expired ? undefined : info['dirty-rate'];
  if (info === expired || rate === undefined || rate < 0) throw notMeasured(durationMs);
  const vcpus = (info['vcpu-dirty-rate'] ?? []).map((vcpu) => ({
    id: vcpu.id,
    mebibytesPerSecond: vcpu['dirty-rate'],
  }));
  return { mebibytesPerSecond: rate, mode: info.mode, durationMs, vcpus };
}

/**
 * QEMU 7.2 dies of the modes that ask KVM when there is none (measured, as 10.0 does not): a guest is not to be
 * lost so.
 */
async function requireKvm(monitor: QmpMonitor, mode: string): Promise<void> {
  const { qemu } = await monitor.raw<ResultOf<'query-version'>>('query-version');
  if (qemu.major >= FIRST_SAFE_MAJOR || (await monitor.raw<ResultOf<'query-kvm'>>('query-kvm')).enabled) return;
  throw new QmpUnsupportedError(
    `${mode} without KVM can end QEMU ${qemu.major}.${qemu.minor}, and this one runs without`,
    'Use mode page-sampling.',
  );
}

function notMeasured(durationMs: number): QmpOperationError {
  return new QmpOperationError(
    QmpOperationErrorCode.notMeasured,
    `QEMU has measured no dirty rate in ${durationMs} ms`,
    { next: 'Let the guest run (query-status), and measure longer.' },
  );
}
