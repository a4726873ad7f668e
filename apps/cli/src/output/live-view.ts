import {
  type DirtySample,
  type DirtySummary,
  findHotRegions,
  type PrecopyPrediction,
} from '@xenpt/qmp-sdk/dirty-rate';
import { formatFrames, formatVerdict } from './dirty-rate.js';
import { type ColorDepth, renderBars, renderHeatMap, renderLegend } from './heat-map.js';
import { formatBytes, formatCount, formatDuration, formatShare } from './quantity.js';
import type { Style } from './style.js';

/** The other screen, without a cursor; what was on the terminal before comes back at the end. */
export const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l';
export const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';

export interface LiveFrame {
  readonly samples: readonly DirtySample[];
  readonly summary: DirtySummary;
  readonly prediction: PrecopyPrediction | null;
  readonly columns: number;
  readonly rows: number;
  readonly depth: ColorDepth;
  readonly style: Style;
}

/** Old heat fades: what was hot two samples ago is seen, what was hot ten ago is not. */
const FADE = 0.5;
const FADE_SAMPLES = 6;
const SMALLEST_MAP_ROWS = 4;
const LABEL_COLUMNS = 12;
const HOT_LINES = 3;

/** One picture of the whole terminal; writing it again over itself does not flicker. */
export function renderLiveFrame(frame: LiveFrame): string {
  const { columns, rows } = frame;
  const lines = [...headLines(frame), ''];
  const foot = footLines(frame);
  const mapRows = rows - lines.length - foot.length - 2;
  if (mapRows >= SMALLEST_MAP_ROWS) lines.push(...mapLines(frame, mapRows), '', ...foot);
  else lines.push(...foot);
  return `\x1b[H${lines
    .slice(0, rows)
    .map((line) => `${clip(line, columns)}\x1b[K`)
    .join('\r\n')}\x1b[J`;
}

function headLines({ samples, summary, prediction, style }: LiveFrame): string[] {
  const last = samples.at(-1);
  if (!last) return [];
  const { pageSizeBytes, workingSetPages, again, elapsedMs } = summary;
  const rate = `${formatCount(last.pagesPerSecond)} pages/s  ${formatBytes(last.pagesPerSecond * pageSizeBytes)}/s`;
  const mean = `mean ${formatBytes(summary.mean.bytesPerSecond)}/s, peak ${formatBytes(summary.peak.bytesPerSecond)}/s`;
  const late = last.overrunMs > 0.1 * (last.elapsedMs - last.overrunMs);
  const spent = `${formatDuration(last.elapsedMs)} a sample${late ? ', late' : ''}`;
  const lines = [
    `${style.strong(summary.description)}  ${style.faint(`sample ${last.index + 1}, ${spent}, Ctrl-C ends`)}`,
    `${style.strong(rate)}  ${mean}`,
  ];
  if (workingSetPages !== null && again !== null) {
    const set = `working set ${formatBytes(workingSetPages * pageSizeBytes)} in ${formatDuration(elapsedMs)}`;
    lines.push(`${set}, ${formatShare(again.share)} dirtied again`);
  }
  if (last.migration) lines.push(formatMigration(last.migration));
  if (prediction) {
    const paint = prediction.verdict === 'converges' ? style.strong : style.warning;
    lines.push(`migration ${paint(formatVerdict(prediction))}`);
  }
  return lines;
}

function formatMigration({
  syncCount,
  remainingBytes,
  throughputBytesPerSecond,
}: NonNullable<DirtySample['migration']>) {
  const left = formatBytes(remainingBytes);
  return `migrating: pass ${syncCount}, ${left} left, ${formatBytes(throughputBytesPerSecond)}/s`;
}

function mapLines({ samples, summary, columns, depth, style }: LiveFrame, rows: number): string[] {
  const { heat, pageCount, pageSizeBytes } = summary;
  if (!heat) return ['This source does not tell which pages are dirty.'];
  const { regionPages } = heat;
  const last = samples.at(-1);
  return renderHeatMap(fadedDensities(samples, heat.counts.length, pageCount, regionPages), heat.counts, {
    columns: Math.max(8, columns - LABEL_COLUMNS),
    rows,
    depth,
    label: (region) => style.faint(`0x${(region * regionPages).toString(16)}`.padEnd(LABEL_COLUMNS - 1)) + ' ',
    quiet: (first, end) => {
      const size = formatBytes(
        Math.max(0, Math.min(end * regionPages, last?.pageCount ?? 0) - first * regionPages) * pageSizeBytes,
      );
      return style.faint(`${`0x${(first * regionPages).toString(16)}`.padEnd(LABEL_COLUMNS)}${size} not written`);
    },
  });
}

function fadedDensities(samples: readonly DirtySample[], regions: number, pageCount: number, regionPages: number) {
  const densities = new Float64Array(regions);
  for (const [age, { heat }] of samples.slice(-FADE_SAMPLES).reverse().entries()) {
    heat?.counts.forEach((count, region) => {
      const pages = Math.min(regionPages, pageCount - region * regionPages);
      densities[region] = Math.max(densities[region] ?? 0, (count / pages) * FADE ** age);
    });
  }
  return densities;
}

function footLines({ samples, summary, columns, depth, style }: LiveFrame): string[] {
  const { heat, pageSizeBytes } = summary;
  const bars = renderBars(
    samples.map(({ pagesPerSecond }) => pagesPerSecond),
    Math.max(8, columns - LABEL_COLUMNS),
  );
  const lines = [`${'rate'.padEnd(LABEL_COLUMNS)}${bars}`];
  if (!heat) return lines;
  lines.push(`${'dirty'.padEnd(LABEL_COLUMNS)}0.1 % ${renderLegend(24, depth)} 100 % of the pages of a cell`);
  const last = samples.at(-1);
  const hot = last?.heat
    ? findHotRegions(
        last.heat.counts,
        { regionPages: heat.regionPages, pageCount: last.pageCount, samples: 1, elapsedMs: last.elapsedMs },
        HOT_LINES,
      )
    : [];
  for (const [index, { startFrame, endFrame, pagesPerSecond, share }] of hot.entries()) {
    const where = `${formatFrames(startFrame, endFrame)}  ${formatBytes((endFrame - startFrame) * pageSizeBytes)}`;
    const rate = `${formatBytes(pagesPerSecond * pageSizeBytes)}/s, ${formatShare(share)}`;
    lines.push(`${(index === 0 ? 'hottest' : '').padEnd(LABEL_COLUMNS)}${where}  ${style.faint(rate)}`);
  }
  return lines;
}

/** Cut to what fits; colours count nothing. */
function clip(line: string, columns: number): string {
  let width = 0;
  let clipped = '';
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith('\x1b')) clipped += part;
    else {
      clipped += part.slice(0, Math.max(0, columns - width));
      width += part.length;
    }
  }
  return clipped;
}
