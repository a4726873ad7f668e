import { DirtyRateError, DirtyRateErrorCode } from './errors.js';
import { sleep } from './sleep.js';
import type { MigrationCounters, RateReading, RateSource } from './source.js';

/** Any QMP client: one command, its `return`. `QmpClient.raw` is it. */
export interface QmpExecutor {
  readonly greeting: { readonly version: { readonly qemu: { readonly major: number; readonly minor: number } } };
  raw<R = unknown>(command: string, args?: Record<string, string | number>, options?: QmpCallOptions): Promise<R>;
  close(): Promise<void>;
}

interface QmpCallOptions {
  readonly signal?: AbortSignal;
}

/** How QEMU counts: by hashing some pages twice, by KVM's dirty bitmap, or by KVM's dirty rings. */
export const qmpDirtyRateModes = ['page-sampling', 'dirty-bitmap', 'dirty-ring'] as const;
export type QmpDirtyRateMode = (typeof qmpDirtyRateModes)[number];

export interface QmpSourceOptions {
  /** For people: the socket's path. */
  readonly description: string;
  /** Left out: the most exact that this QEMU can do. */
  readonly mode?: QmpDirtyRateMode;
  readonly signal?: AbortSignal;
}

/** `dirty-rate` is in MiB per second, rounded down: nothing finer is told (QEMU migration/dirtyrate.c). */
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const PAGE_BYTES = 4096;
/** QEMU leaves out memory blocks that are smaller (MIN_RAMBLOCK_SIZE, migration/dirtyrate.h). */
const SMALLEST_SAMPLED_BYTES = 128 * MIB;
/**
 * QEMU's default for each GiB, 512, resolves 2 MiB. More cost time to hash: this is enough for each GiB of a large
 * guest. A small one needs as many in all, or chance alone is a tenth of the result. The upper bound is QEMU's since
 * it knows `sample-pages` at all (6.1; MAX_SAMPLE_PAGE_COUNT, migration/dirtyrate.h).
 */
const SAMPLE_PAGES = 4096;
const MOST_SAMPLE_PAGES_PER_GIB = 16_384;
const POLL_MS = 50;
/** Hashing the sampled pages and reading the log come on top of the window. */
const GRACE_MS = 30_000;

/** States of query-migrate in which the source still runs and its counters go on (qapi/migration.json). */
const running = new Set(['setup', 'active', 'pre-switchover', 'device', 'postcopy-active', 'wait-unplug']);

interface MigrationInfo {
  readonly status?: string;
  readonly ram?: {
    readonly transferred: number;
    readonly remaining: number;
    readonly mbps: number;
    readonly 'dirty-pages-rate': number;
    readonly 'dirty-sync-count': number;
  };
}

interface DirtyRateInfo {
  readonly status: 'unstarted' | 'measuring' | 'measured';
  readonly 'dirty-rate'?: number;
  readonly 'vcpu-dirty-rate'?: readonly { readonly 'dirty-rate': number }[];
}

/**
 * QEMU's own measurement (`calc-dirty-rate`); while a migration runs its counters instead, for a second dirty log
 * beside it would disturb it. Closing the source closes the client.
 *
 * @throws DirtyRateError DIRTY_RATE_UNSUPPORTED
 */
export async function openQmpSource(client: QmpExecutor, options: QmpSourceOptions): Promise<RateSource> {
  const call: QmpCallOptions = options.signal ? { signal: options.signal } : {};
  const { 'base-memory': base, 'plugged-memory': plugged = 0 } = await client.raw<{
    'base-memory': number;
    'plugged-memory'?: number;
  }>('query-memory-size-summary', {}, call);
  const memoryBytes = base + plugged;
  const mode = options.mode ?? (await bestMode(client, call));
  if (mode === 'page-sampling' && memoryBytes < SMALLEST_SAMPLED_BYTES) {
    throw new DirtyRateError(
      DirtyRateErrorCode.unsupported,
      `QEMU samples no memory block below ${SMALLEST_SAMPLED_BYTES / MIB} MiB, and the guest has ` +
        `${memoryBytes / MIB} MiB.`,
      { next: 'Take the mode dirty-bitmap (with KVM), or a guest with more memory.' },
    );
  }
  const { major, minor } = client.greeting.version.qemu;
  const samplePagesPerGib = Math.min(
    MOST_SAMPLE_PAGES_PER_GIB,
    Math.max(SAMPLE_PAGES, Math.ceil((SAMPLE_PAGES * GIB) / memoryBytes)),
  );
  return {
    kind: 'rate',
    description: `${options.description} (${mode})`,
    pageSizeBytes: PAGE_BYTES,
    pageCount: memoryBytes / PAGE_BYTES,
    memoryPages: memoryBytes / PAGE_BYTES,
    // calc-time-unit came with QEMU 8.2.
    windowStepMs: major > 8 || (major === 8 && minor >= 2) ? 1 : 1000,
    measure: (windowMs, signal) => measure(client, { mode, samplePagesPerGib }, windowMs, signal),
    close: () => client.close(),
  };
}

async function bestMode(client: QmpExecutor, call: QmpCallOptions): Promise<QmpDirtyRateMode> {
  const { enabled } = await client.raw<{ enabled: boolean }>('query-kvm', {}, call);
  // Without KVM nothing feeds the counter of the dirty bitmap: it would say 0 for every guest.
  return enabled ? 'dirty-bitmap' : 'page-sampling';
}

interface Method {
  readonly mode: QmpDirtyRateMode;
  readonly samplePagesPerGib: number;
}

async function measure(
  client: QmpExecutor,
  method: Method,
  windowMs: number,
  signal: AbortSignal | undefined,
): Promise<RateReading | null> {
  const call: QmpCallOptions = signal ? { signal } : {};
  const migration = await client.raw<MigrationInfo>('query-migrate', {}, call);
  if (migration.status !== undefined && running.has(migration.status)) return readCounters(client, windowMs, signal);
  if (migration.status === 'completed') return null;
  await start(client, method, windowMs, call);
  await sleep(windowMs, signal);
  for (let waitedMs = 0; waitedMs <= GRACE_MS; waitedMs += POLL_MS) {
    const info = await client.raw<DirtyRateInfo>('query-dirty-rate', {}, call);
    if (info.status === 'measured') return { pages: pagesOf(info, windowMs), elapsedMs: windowMs };
    await sleep(POLL_MS, signal);
  }
  throw new DirtyRateError(
    DirtyRateErrorCode.sourceFailed,
    `QEMU measured for ${windowMs} ms and has no result ${GRACE_MS} ms later.`,
    { next: 'See whether QEMU is very busy, and measure again.' },
  );
}

async function start(client: QmpExecutor, method: Method, windowMs: number, call: QmpCallOptions) {
  const { mode, samplePagesPerGib } = method;
  const time = windowMs % 1000 === 0 ? windowMs / 1000 : windowMs;
  try {
    await client.raw(
      'calc-dirty-rate',
      {
        'calc-time': time,
        ...(time === windowMs ? { 'calc-time-unit': 'millisecond' } : {}),
        mode,
        ...(mode === 'page-sampling' ? { 'sample-pages': samplePagesPerGib } : {}),
      },
      call,
    );
  } catch (cause) {
    if (call.signal?.aborted) throw cause;
    throw new DirtyRateError(
      DirtyRateErrorCode.unsupported,
      `QEMU refuses to measure the dirty rate (mode ${mode}).`,
      {
        next: `Take another mode (${qmpDirtyRateModes.join(', ')}), or wait until another measurement has ended.`,
        cause,
      },
    );
  }
}

function pagesOf(info: DirtyRateInfo, windowMs: number): number {
  const vcpus = info['vcpu-dirty-rate'] ?? [];
  const rate = info['dirty-rate'] ?? vcpus.reduce((sum, vcpu) => sum + vcpu['dirty-rate'], 0);
  return (rate * MIB * windowMs) / (PAGE_BYTES * 1000);
}

async function readCounters(
  client: QmpExecutor,
  windowMs: number,
  signal: AbortSignal | undefined,
): Promise<RateReading | null> {
  await sleep(windowMs, signal);
  const { ram, status } = await client.raw<MigrationInfo>('query-migrate', {}, signal ? { signal } : {});
  if (!ram || status === 'completed') return null;
  return {
    pages: (ram['dirty-pages-rate'] * windowMs) / 1000,
    elapsedMs: windowMs,
    migration: countersOf(ram),
  };
}

function countersOf(ram: NonNullable<MigrationInfo['ram']>): MigrationCounters {
  return {
    syncCount: ram['dirty-sync-count'],
    transferredBytes: ram.transferred,
    remainingBytes: ram.remaining,
    throughputBytesPerSecond: (ram.mbps * 1e6) / 8,
  };
}
