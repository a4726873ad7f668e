import type {
  DirtySample,
  DirtySource,
  DirtySummary,
  PrecopyPrediction,
  PrecopyRemedy,
} from '@xenpt/qmp-sdk/dirty-rate';
import { precopyPolicies } from '@xenpt/qmp-sdk/dirty-rate';
import { formatBandwidth, formatBytes, formatCount, formatDuration, formatShare } from './quantity.js';
import type { Style } from './style.js';
import { formatTable } from './table.js';

/** One sample as JSON. Frames are numbers; `heat` names only regions with dirty pages: [region, pages]. */
export function sampleJson(sample: DirtySample, withHeat: boolean) {
  const { index, endMs, elapsedMs, overrunMs, scanMs, pageCount, pages, pagesPerSecond } = sample;
  return {
    index,
    endMs: rounded(endMs),
    elapsedMs: rounded(elapsedMs),
    overrunMs: rounded(overrunMs),
    scanMs: rounded(scanMs),
    pageCount,
    pages: rounded(pages),
    pagesPerSecond: rounded(pagesPerSecond),
    newPages: sample.newPages,
    repeatedPages: sample.repeatedPages,
    migration: sample.migration,
    ...(withHeat ? { heat: heatJson(sample.heat) } : {}),
  };
}

export function summaryJson(summary: DirtySummary) {
  const { samples, elapsedMs, overruns, mean, peak, workingSetPages, again, hottest, heat, profile } = summary;
  return {
    samples,
    elapsedMs: rounded(elapsedMs),
    overruns,
    mean,
    peak,
    workingSet:
      workingSetPages === null ? null : { pages: workingSetPages, bytes: workingSetPages * summary.pageSizeBytes },
    again,
    hottest:
      hottest?.map((region) => ({
        ...region,
        bytesPerSecond: region.pagesPerSecond * summary.pageSizeBytes,
      })) ?? null,
    windows: profile.windows,
    incidence: profile.incidence,
    heat: heatJson(heat),
  };
}

export function sourceJson({ kind, description, pageSizeBytes }: DirtySource, summary: DirtySummary) {
  const { pageCount, memoryPages } = summary;
  return { kind, description, pageCount, memoryPages, pageSizeBytes };
}

export function predictionJson(prediction: PrecopyPrediction | null) {
  if (!prediction) return null;
  const { link, ...outcome } = prediction;
  return { ...link, policyTitle: precopyPolicies[link.policy].title, ...outcome };
}

function heatJson(heat: DirtySample['heat']) {
  if (!heat) return null;
  const counts = Array.from(heat.counts.entries()).filter(([, count]) => count > 0);
  return { regionPages: heat.regionPages, counts };
}

/** Microseconds are as fine as clocks are. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** What a measurement found, for a person. */
export function formatSummary(summary: DirtySummary, intervalMs: number, style: Style): string {
  const { description, samples, pageSizeBytes, memoryPages, mean, peak } = summary;
  const memory = formatBytes(memoryPages * pageSizeBytes);
  const facts = [
    [
      'Rate',
      `${formatCount(mean.pagesPerSecond)} pages/s, ${formatBytes(mean.bytesPerSecond)}/s` +
        ` (peak ${formatCount(peak.pagesPerSecond)} pages/s, ${formatBytes(peak.bytesPerSecond)}/s)`,
    ],
    ...setFacts(summary),
    ['Grows', formatGrowth(summary)],
  ];
  const plural = samples === 1 ? '' : 's';
  return [
    `${style.strong(description)}  ${samples} sample${plural} of ${formatDuration(intervalMs)}, ${memory} of memory`,
    ...facts.map(([name = '', text = '']) => `  ${`${name}:`.padEnd(12)} ${text}`),
    ...formatRegions(summary, style),
  ].join('\n');
}

function setFacts({ workingSetPages, again, elapsedMs, pageSizeBytes, samples }: DirtySummary): string[][] {
  if (workingSetPages === null || again === null) return [];
  const size = formatBytes(workingSetPages * pageSizeBytes);
  const facts = [['Working set', `${formatCount(workingSetPages)} pages, ${size} in ${formatDuration(elapsedMs)}`]];
  if (samples > 1) {
    const every = `${formatCount(again.everySample)} pages in every sample`;
    facts.push(['Again', `${formatShare(again.share)} of a sample's pages were dirty in the one before; ${every}`]);
  }
  return facts;
}

/** Different pages by length of the window, doubling from one to the next. */
function formatGrowth({ profile: { windows } }: DirtySummary): string {
  let next = 0;
  return windows
    .filter(({ windowMs }, index) => {
      if (windowMs < next * 0.99 && index < windows.length - 1) return false;
      next = windowMs * 2;
      return true;
    })
    .map(({ windowMs, pages }) => `${formatCount(pages)} in ${formatDuration(windowMs)}`)
    .join(', ');
}

function formatRegions({ hottest, pageSizeBytes }: DirtySummary, style: Style): string[] {
  if (!hottest || hottest.length === 0) return [];
  const rows = hottest.map(({ startFrame, endFrame, pagesPerSecond, share, density }) => [
    formatFrames(startFrame, endFrame),
    formatBytes((endFrame - startFrame) * pageSizeBytes),
    formatCount(pagesPerSecond),
    `${formatBytes(pagesPerSecond * pageSizeBytes)}/s`,
    formatShare(share),
    formatShare(density),
  ]);
  const head = ['HOTTEST FRAMES', 'SIZE', 'PAGES/S', 'RATE', 'OF ALL', 'DIRTY IN A SAMPLE'];
  return ['', formatTable(style, head, rows)];
}

/** `0x40000-0x4bfff`: first and last. */
export function formatFrames(startFrame: number, endFrame: number): string {
  return `0x${startFrame.toString(16)}-0x${(endFrame - 1).toString(16)}`;
}

const verdicts = {
  converges: 'converges',
  'pause-too-long': 'ends, but the pause is too long',
  'never-ends': 'will not converge: each round leaves as much as it sends',
} as const;

/** `converges`, or what is wrong, in one line. */
export function formatVerdict({ verdict, pauseMs, roundCount, totalMs }: PrecopyPrediction): string {
  if (pauseMs === null) return verdicts[verdict];
  const after = `${roundCount} rounds, ${formatDuration(totalMs)}, pause ${formatDuration(pauseMs)}`;
  return `${verdicts[verdict]} (${after})`;
}

export function formatPrediction(prediction: PrecopyPrediction, style: Style): string {
  const { link, verdict, rounds, roundCount, totalBytes, totalMs, pauseMs, remedy, extrapolated } = prediction;
  const paint = verdict === 'converges' ? style.strong : style.warning;
  const bandwidth = formatBandwidth(link.bandwidthBytesPerSecond);
  const over = `over ${bandwidth}, pause at most ${formatDuration(link.downtimeMs)}`;
  const rows = shortened(rounds).map((round) =>
    round === null
      ? ['…', '', '', '']
      : [
          String(round.round),
          formatCount(round.pages),
          formatBytes(round.bytes),
          `${formatDuration(round.durationMs)}${round.paused ? ', paused' : ''}`,
        ],
  );
  const together = `${roundCount} rounds, ${formatBytes(totalBytes)}, ${formatDuration(totalMs)}`;
  return [
    `${precopyPolicies[link.policy].title}; ${over}: ${paint(verdicts[verdict])}`,
    '',
    formatTable(style, ['ROUND', 'PAGES', 'BYTES', 'TIME'], rows),
    '',
    pauseMs === null
      ? `After ${together} it still goes on.`
      : `Together ${together}; the guest stands still for ${formatDuration(pauseMs)} of it.`,
    ...(remedy ? formatRemedy(remedy) : []),
    ...(extrapolated ? ['A round lasts longer than what was measured; more --samples make this firmer.'] : []),
  ].join('\n');
}

/** What would make it converge, one line each; the same for the report. */
export function formatRemedy({ bandwidthBytesPerSecond, downtimeMs, loadFactor }: PrecopyRemedy): string[] {
  const ways = [
    bandwidthBytesPerSecond === null ? null : `a link of ${formatBandwidth(bandwidthBytesPerSecond)}`,
    downtimeMs === null ? null : `a pause of ${formatDuration(downtimeMs)}`,
    loadFactor === null ? null : `a guest that writes ${formatShare(1 - loadFactor)} less`,
  ].filter((way) => way !== null);
  if (ways.length === 0) return ['No bandwidth, pause or load alone would make it converge.'];
  return [`It would converge with ${ways.join(', or ')}.`];
}

const MOST_ROWS = 12;

/** The first rounds and the last. */
function shortened<T>(rounds: readonly T[]): (T | null)[] {
  if (rounds.length <= MOST_ROWS) return [...rounds];
  return [...rounds.slice(0, MOST_ROWS - 2), null, ...rounds.slice(-1)];
}

/** One line for each sample, where nobody looks at a terminal. */
export function formatSampleLine(
  { endMs, pagesPerSecond, newPages, repeatedPages, pages }: DirtySample,
  size: number,
) {
  const parts = [
    formatDuration(endMs).padStart(10),
    `${formatCount(pagesPerSecond).padStart(11)} pages/s`,
    `${formatBytes(pagesPerSecond * size).padStart(8)}/s`,
    newPages === null ? '' : `new ${formatCount(newPages)}`,
    repeatedPages === null || pages === 0 ? '' : `again ${formatShare(repeatedPages / pages)}`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}
