import {
  createXenSource,
  type DirtySource,
  MAXIMUM_INTERVAL_MS,
  MINIMUM_INTERVAL_MS,
  openQmpSource,
  parseBandwidth,
  parseDuration,
  parseSize,
  parseWholeNumber,
  precopyPolicies,
  type PrecopyLink,
  type PrecopyPolicyName,
  type QmpDirtyRateMode,
  qmpDirtyRateModes,
} from '@xenpt/qmp-sdk/dirty-rate';
import { openFileSource } from '@xenpt/qmp-sdk/dirty-rate/node';
import { connect } from '@xenpt/qmp-sdk/node';
import { openDirtyLog } from '@xenpt/qmp-sdk/xen';
import { UsageError } from './usage-error.js';
import type { VerbContext, VerbOption, VerbOptionValues } from './verb.js';

export const dirtyRateOptions: readonly VerbOption[] = [
  { flags: '--qmp <SOCKET>', description: 'ask a QEMU by its QMP socket' },
  { flags: '--mode <MODE>', description: `how QEMU counts: ${qmpDirtyRateModes.join(', ')} (default: what it can)` },
  { flags: '--file <FILE...>', description: 'raw bitmaps (KVM, VFIO, Xen), an interval each; - is standard input' },
  { flags: '--pages <N>', description: 'pages of one bitmap; a file may then hold several' },
  { flags: '--page-size <SIZE>', description: 'guest memory of one bit of a file', default: '4KiB' },
  { flags: '--interval <TIME>', description: 'length of a sample, 50ms to 60s', default: '1s' },
  { flags: '--samples <N>', description: 'how many (default: 10; with --watch until Ctrl-C; with --file all)' },
  { flags: '--link <BANDWIDTH>', description: 'predict a migration over this link, such as 10Gbit/s or 900MiB/s' },
  { flags: '--downtime <TIME>', description: 'the longest pause that is acceptable', default: '300ms' },
  { flags: '--policy <POLICY>', description: 'who migrates: xen, xen-save or qemu (default: who runs the guest)' },
  {
    flags: '--fixed-pause <TIME>',
    description: 'the part of the pause that is not memory: suspend, devices, resume',
  },
  { flags: '--suspend-time <TIME>', description: 'how long the guest takes to stand still, writing on (xl migrate)' },
  { flags: '--watch', description: 'live heat map of the guest in the terminal; a line per sample elsewhere' },
  { flags: '--report <FILE>', description: 'write a page with heat map, rate and predicted rounds (HTML)' },
];

const DEFAULT_SAMPLES = 10;
const MOST_SAMPLES = 100_000;

export interface DirtyRatePlan {
  readonly target: Target;
  readonly intervalMs: number;
  /** Undefined: until the signal, or the end of a recording. */
  readonly samples: number | undefined;
  readonly link: PrecopyLink | null;
  readonly watch: boolean;
  readonly report: string | undefined;
}

type Target =
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'qmp'; readonly socket: string; readonly mode: QmpDirtyRateMode | undefined }
  | {
      readonly kind: 'file';
      readonly files: readonly string[];
      readonly pageCount: number | undefined;
      readonly pageSizeBytes: number;
    };

/** @throws UsageError, DirtyRateError DIRTY_RATE_QUANTITY, DIRTY_RATE_RANGE */
export function planDirtyRate(words: readonly string[], options: VerbOptionValues): DirtyRatePlan {
  const target = targetOf(words, options);
  const watch = options['watch'] === true;
  const given = text(options['samples']);
  const endless = watch || target.kind === 'file';
  const samples = given === undefined ? undefined : parseWholeNumber(given, 'samples', 1, MOST_SAMPLES);
  const intervalMs = parseDuration(text(options['interval']) ?? '1s');
  if (intervalMs < MINIMUM_INTERVAL_MS || intervalMs > MAXIMUM_INTERVAL_MS) {
    throw new UsageError(`an interval of ${intervalMs} ms`, 'Take 50ms to 60s.');
  }
  return {
    target,
    intervalMs,
    samples: samples ?? (endless ? undefined : DEFAULT_SAMPLES),
    link: linkOf(target, options),
    watch,
    report: text(options['report']),
  };
}

function targetOf(words: readonly string[], options: VerbOptionValues): Target {
  const socket = text(options['qmp']);
  const files = options['file'];
  const [domain] = words;
  const given = [domain !== undefined, socket !== undefined, files !== undefined].filter(Boolean).length;
  if (given !== 1) {
    throw new UsageError(
      given === 0 ? 'nothing to measure' : 'more than one thing to measure',
      'Name a DOMAIN, or give --qmp SOCKET, or --file FILE.',
    );
  }
  if (socket !== undefined) return { kind: 'qmp', socket, mode: oneOf(options['mode'], '--mode', qmpDirtyRateModes) };
  if (Array.isArray(files)) {
    const pages = text(options['pages']);
    return {
      kind: 'file',
      files: files as readonly string[],
      pageCount: pages === undefined ? undefined : parseWholeNumber(pages, 'pages', 1, 2 ** 32 - 1),
      pageSizeBytes: parseSize(text(options['pageSize']) ?? '4KiB'),
    };
  }
  return { kind: 'domain', domain: domain ?? '' };
}

function linkOf(target: Target, options: VerbOptionValues): PrecopyLink | null {
  const link = text(options['link']);
  const policies = Object.keys(precopyPolicies) as PrecopyPolicyName[];
  const policy = oneOf(options['policy'], '--policy', policies) ?? (target.kind === 'domain' ? 'xen' : 'qemu');
  const downtimeMs = parseDuration(text(options['downtime']) ?? '300ms');
  const fixed = text(options['fixedPause']);
  const suspend = text(options['suspendTime']);
  if (link === undefined) return null;
  return {
    bandwidthBytesPerSecond: parseBandwidth(link),
    downtimeMs,
    policy,
    ...(fixed === undefined ? {} : { fixedPauseMs: parseDuration(fixed) }),
    ...(suspend === undefined ? {} : { suspendMs: parseDuration(suspend) }),
  };
}

/** Opens what is to be measured. Whoever calls this closes it. */
export async function openSource({ target }: DirtyRatePlan, context: VerbContext): Promise<DirtySource> {
  const { signal, io } = context;
  switch (target.kind) {
    case 'domain': {
      const log = await openDirtyLog(context.host, { domain: target.domain, signal });
      return createXenSource(log, context.host.toolstack.domainInfo(log.domid));
    }
    case 'qmp': {
      const client = await connect({ unix: target.socket }, { signal });
      try {
        const mode = target.mode === undefined ? {} : { mode: target.mode };
        return await openQmpSource(client, { description: target.socket, signal, ...mode });
      } catch (error) {
        await client.close();
        throw error;
      }
    }
    case 'file':
      return openFileSource(target.files, {
        stdin: io.stdin,
        pageSizeBytes: target.pageSizeBytes,
        ...(target.pageCount === undefined ? {} : { pageCount: target.pageCount }),
      });
  }
}

function text(value: VerbOptionValues[string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function oneOf<T extends string>(value: VerbOptionValues[string], flag: string, known: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} ${String(value)}`, `Take one of ${known.join(', ')}.`);
}
