import { type ModelStats, readModelStats } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { formatCount, formatDuration } from '../output/quantity.js';
import { modelStats } from '../output/stats-schema.js';
import type { Style } from '../output/style.js';
import { formatTable } from '../output/table.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';

export const stats: Verb = {
  name: 'stats',
  summary: 'show what a guest’s device model has done, how fast it answers, and what it waits for',
  arguments: [{ name: 'DOMAIN', description: 'id or name, as in xl list' }],
  options: [{ flags: '--openmetrics', description: 'as OpenMetrics text, for Prometheus and its like' }],
  examples: [
    ['xenpt stats web', 'counts since its process was started'],
    ['xenpt stats web --openmetrics', 'for a collector that reads text files'],
  ],
  schema: modelStats,
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host, style }, [domain = ''], { json, openmetrics }) => {
    if (json && openmetrics === true) {
      throw new UsageError('--json and --openmetrics are two forms of the same', 'Give one of them.');
    }
    const found = await readModelStats(host, domain);
    if (openmetrics !== true) return { json: { ...found }, text: toText(found, style), notes: waitingNote(found) };
    const { formatOpenMetrics } = await import('../output/open-metrics.js');
    return { text: (await formatOpenMetrics(found)).trimEnd() };
  },
};

function toText(found: ModelStats, style: Style): string {
  const { domid, domainName, process, devices, deniedWrites, late } = found;
  const rows = [
    ['devices', devices.join(' ') || '-'],
    ['process', process === null ? '-' : `${process.pid}, xenpt ${process.version}`],
    ['since', process === null ? '-' : new Date(process.startedAtMs).toISOString()],
    ['answers', latencyText(found)],
    ['denied writes', formatCount(deniedWrites)],
    ['late answers', late === null ? '-' : formatCount(late)],
  ];
  const effects = Object.entries(found.effects).map(([type, count]) => {
    return [type, formatCount(count), formatCount(found.failedEffects?.[type] ?? 0)];
  });
  const some = effects.filter(([, ...counts]) => counts.some((count) => count !== '0'));
  return [
    `${style.strong(domainName)}  domain ${domid}`,
    ...rows.map(([name = '', value = '']) => `  ${name.padEnd(14)} ${value}`),
    ...section(style, ['REQUESTS', 'COUNT'], countRows(found.requests)),
    ...section(style, ['INTERRUPTS BOUND', 'COUNT'], countRows(found.interrupts ?? {})),
    ...section(style, ['EFFECTS', 'DONE', 'REFUSED'], some),
  ].join('\n');
}

function latencyText({ latency }: ModelStats): string {
  if (latency === null || latency.count === 0) return '-';
  const { count, sumNs, longestNs } = latency;
  const shares = [0.5, 0.99].map((share) => `${100 * share} % within ${boundOf(latency, share)}`);
  return [`mean ${microseconds(sumNs / count)}`, ...shares, `longest ${microseconds(longestNs)}`].join(', ');
}

/** The end of the bucket that the share ends in. */
function boundOf({ count, buckets, longestNs }: NonNullable<ModelStats['latency']>, share: number): string {
  let sum = 0;
  const found = buckets.find((bucket) => (sum += bucket.count) >= share * count);
  return microseconds(Math.min(found?.upToNs ?? longestNs, longestNs));
}

function microseconds(ns: number): string {
  return ns < 1e5 ? `${(ns / 1000).toFixed(ns < 1e4 ? 1 : 0)} µs` : formatDuration(ns / 1e6);
}

function countRows(counts: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [[name, formatCount(count)]]));
}

function section(style: Style, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', formatTable(style, head, rows)];
}

/** What is answered at once is worth no word. */
function waitingNote({ waiting, domid }: ModelStats): string[] {
  if (waiting === null || waiting.ageMs < 1000) return [];
  const { what, ageMs, waitsFor } = waiting;
  const reason = waitsFor ?? 'the device or the model’s own code';
  return [
    `The guest waits: ${what} has had no answer for ${formatDuration(ageMs)}; it waits for ${reason}. ` +
      `The log is /var/log/xenpt/domain-${domid}.log.`,
  ];
}
