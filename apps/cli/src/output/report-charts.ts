import {
  createGrowth,
  type DirtySample,
  type DirtySummary,
  longestWindowMs,
  type PrecopyPrediction,
} from '@xenpt/qmp-sdk/dirty-rate';
import {
  BarChart,
  type BarSeriesOption,
  CustomChart,
  type CustomSeriesOption,
  LineChart,
  ScatterChart,
} from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { intensityOf, layOutRows, type MemoryRow } from './heat-map.js';
import { formatBytes, formatCount, formatDuration } from './quantity.js';

use([BarChart, CustomChart, GridComponent, LineChart, ScatterChart, SVGRenderer]);

const WIDTH = 920;
const MOST_COLUMNS = 120;
const MOST_ROWS = 64;
/** Cells of one level are one path, so that the page stays small. */
const LEVELS = 10;
const FAINT_OPACITY = 0.05;

/** A drawing without a script; its colours are the page's CSS variables. */
function draw(height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'system-ui, sans-serif' }, ...option });
    return withoutHover(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** As large as the page is wide, and without what only a script would use. */
function withoutHover(svg: string): string {
  return svg
    .replace(/^<svg width="\d+" height="\d+"/, '<svg role="img"')
    .replace(/<style ?>[^]*?<\/style>/g, '')
    .replace(/ (class="zr[^"]*"|ecmeta_\w+="[^"]*"|xml:space="preserve"|xmlns:xlink="[^"]*"|baseProfile="full")/g, '')
    .replace(/\n+/g, '\n');
}

const faint = 'var(--faint)';
const axis = {
  axisLine: { lineStyle: { color: 'var(--line)' } },
  axisTick: { lineStyle: { color: 'var(--line)' } },
  axisLabel: { color: faint },
  splitLine: { lineStyle: { color: 'var(--line)', opacity: 0.6 } },
  nameTextStyle: { color: faint },
};
/** Round numbers on an axis of bytes: the unit is divided out. */
function byteUnit(most: number): { readonly bytes: number; readonly name: string } {
  const power = Math.max(0, Math.min(4, Math.floor(Math.log2(Math.max(1, most)) / 10)));
  return { bytes: 2 ** (10 * power), name: ['B', 'KiB', 'MiB', 'GiB', 'TiB'][power] ?? '' };
}

const seconds = (value: number) => formatDuration(value * 1000).replace(/\.?0+ s$/, ' s');

/** Bytes per second of each sample, as steps, with the mean. */
export function rateChart({ samples, summary }: { samples: readonly DirtySample[]; summary: DirtySummary }): string {
  const { pageSizeBytes, mean } = summary;
  const unit = byteUnit(summary.peak.bytesPerSecond);
  const points = samples.flatMap(({ endMs, elapsedMs, pagesPerSecond }) => {
    const rate = (pagesPerSecond * pageSizeBytes) / unit.bytes;
    return [
      [(endMs - elapsedMs) / 1000, rate],
      [endMs / 1000, rate],
    ];
  });
  const first = points[0]?.[0] ?? 0;
  const last = points.at(-1)?.[0] ?? 1;
  return draw(220, {
    grid: { left: 84, right: 24, top: 16, bottom: 32 },
    xAxis: { type: 'value', min: first, max: last, ...axis, axisLabel: { color: faint, formatter: seconds } },
    yAxis: {
      type: 'value',
      min: 0,
      ...axis,
      axisLabel: { color: faint, formatter: `{value} ${unit.name}/s` },
    },
    series: [
      {
        type: 'line',
        data: points,
        showSymbol: false,
        lineStyle: { color: 'var(--rate)', width: 2 },
        areaStyle: { color: 'var(--rate)', opacity: 0.15 },
      },
      {
        type: 'line',
        data: [
          [first, mean.bytesPerSecond / unit.bytes],
          [last, mean.bytesPerSecond / unit.bytes],
        ],
        showSymbol: false,
        lineStyle: { color: faint, width: 1, type: 'dashed' },
      },
    ],
  });
}

/** Columns are time, rows are memory; a cell is as dark as its densest part. */
export function heatChart(samples: readonly DirtySample[], { heat, pageCount }: DirtySummary): string {
  if (!heat) return '';
  const rows = withGaps(layOutRows(heat.counts, MOST_ROWS));
  if (rows.length === 0) return '<p>No page was written.</p>';
  const { regionPages } = heat;
  const columns = columnsOf(samples);
  const paths = Array.from({ length: LEVELS }, () => [] as Cells[]);
  for (const [row, regions] of rows.entries()) {
    if (!regions) continue;
    const levels = columns.map((column) => levelOf(hottest(column, regions, regionPages, pageCount)));
    for (const [start, length, level] of runsOf(levels)) paths[level - 1]?.push([start, row, length]);
  }
  const labels = rows.map((regions) => (regions ? `0x${(regions.first * regionPages).toString(16)}` : '…'));
  const times = columns.map((column) => seconds(Math.round((column.at(-1)?.endMs ?? 0) / 100) / 10));
  return draw(60 + 6 * rows.length, {
    grid: { left: 84, right: 24, top: 8, bottom: 32 },
    xAxis: { type: 'category', data: times, ...axis, splitLine: { show: false } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: labels,
      ...axis,
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: faint, interval: labelled(rows) },
    },
    series: [heatSeries(paths)],
  });
}

type Cells = readonly [column: number, row: number, length: number];

/** Null stands for the stretch that is left out. */
function withGaps(rows: readonly MemoryRow[]): (MemoryRow | null)[] {
  return rows.flatMap((row, index) => (row.afterGap && index > 0 ? [null, row] : [row]));
}

/** Every eighth row has its address, counted from each stretch that is left out. */
function labelled(rows: readonly (MemoryRow | null)[]): (row: number) => boolean {
  let since = 0;
  const chosen = rows.map((row, index) => {
    if (row === null) since = index + 1;
    const toGap = rows.indexOf(null, index);
    const room = index === since || toGap < 0 || toGap - index > 3;
    return row !== null && (index - since) % 8 === 0 && room;
  });
  return (row) => chosen[row] ?? false;
}

function heatSeries(paths: readonly (readonly Cells[])[]): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    data: paths.map((_, level) => [0, 0, level]),
    renderItem: (_params, api) => {
      const level = Number(api.value(2));
      const [width = 0, height = 0] = api.size?.([1, 1]) as number[];
      const cells = (paths[level] ?? []).map(([column, row, length]) => {
        const [x = 0, y = 0] = api.coord([column, row]);
        const left = (x - width / 2).toFixed(1);
        return `M${left} ${(y - height / 2).toFixed(1)}h${(width * length).toFixed(1)}v${height.toFixed(1)}H${left}z`;
      });
      const opacity = FAINT_OPACITY + (1 - FAINT_OPACITY) * ((level + 1) / LEVELS) ** 2;
      return { type: 'path', shape: { d: cells.join('') }, style: { fill: 'var(--heat)', opacity } };
    },
  };
}

/** Samples that share a column, where there are more than columns. */
function columnsOf(samples: readonly DirtySample[]): DirtySample[][] {
  const count = Math.min(MOST_COLUMNS, samples.length);
  const border = (column: number) => Math.floor((column * samples.length) / count);
  return Array.from({ length: count }, (_, column) => samples.slice(border(column), border(column + 1)));
}

function hottest(samples: readonly DirtySample[], { first, end }: MemoryRow, regionPages: number, pageCount: number) {
  let most = 0;
  for (const { heat } of samples) {
    for (let region = first; region < end; region++) {
      const pages = Math.min(regionPages, pageCount - region * regionPages);
      most = Math.max(most, (heat?.counts[region] ?? 0) / pages);
    }
  }
  return most;
}

/** 0: nothing, then 1 to LEVELS. */
function levelOf(density: number): number {
  return density <= 0 ? 0 : Math.max(1, Math.round(intensityOf(density) * LEVELS));
}

function runsOf(levels: readonly number[]): [start: number, length: number, level: number][] {
  const runs: [number, number, number][] = [];
  for (const [column, level] of levels.entries()) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === column && last[2] === level) last[1] += 1;
    else if (level > 0) runs.push([column, 1, level]);
  }
  return runs;
}

const CURVE_POINTS = 100;

/** Different pages by length of the window: what was measured, and the curve that predictions use. */
export function growthChart({ profile, pageSizeBytes }: DirtySummary): string {
  const longestMs = longestWindowMs(profile);
  const growth = createGrowth(profile);
  const unit = byteUnit(growth(longestMs) * pageSizeBytes);
  const place = (windowMs: number, pages: number) => [windowMs / 1000, (pages * pageSizeBytes) / unit.bytes];
  const curve = Array.from({ length: CURVE_POINTS + 1 }, (_, index) => {
    const windowMs = (longestMs * index) / CURVE_POINTS;
    return place(windowMs, growth(windowMs));
  });
  return draw(220, {
    grid: { left: 84, right: 24, top: 16, bottom: 32 },
    xAxis: {
      type: 'value',
      min: 0,
      max: longestMs / 1000 || 1,
      ...axis,
      axisLabel: { color: faint, formatter: seconds },
    },
    yAxis: { type: 'value', min: 0, ...axis, axisLabel: { color: faint, formatter: `{value} ${unit.name}` } },
    series: [
      { type: 'line', data: curve, showSymbol: false, lineStyle: { color: 'var(--rate)', width: 2 } },
      {
        type: 'scatter',
        data: profile.windows.map(({ windowMs, pages }) => place(windowMs, pages)),
        symbolSize: 6,
        itemStyle: { color: 'var(--ink)' },
      },
    ],
  });
}

/** What each round sends, on a logarithmic scale; the one in the pause stands out. */
export function roundsChart({ rounds }: PrecopyPrediction, pageSizeBytes: number): string {
  const shown = rounds.length <= 24 ? rounds : [...rounds.slice(0, 23), ...rounds.slice(-1)];
  const series: BarSeriesOption = {
    type: 'bar',
    barMaxWidth: 48,
    data: shown.map(({ bytes, paused, durationMs }) => ({
      value: Math.max(bytes, pageSizeBytes),
      itemStyle: { color: paused ? 'var(--pause)' : 'var(--rate)' },
      label: {
        show: shown.length <= 12,
        position: 'top',
        color: paused ? 'var(--pause)' : faint,
        formatter: `${formatDuration(durationMs)}${paused ? ' paused' : ''}`,
      },
    })),
  };
  return draw(240, {
    grid: { left: 84, right: 24, top: 28, bottom: 32 },
    xAxis: { type: 'category', data: shown.map(({ round }) => `round ${formatCount(round)}`), ...axis },
    yAxis: {
      type: 'log',
      logBase: 16,
      min: pageSizeBytes,
      ...axis,
      axisLabel: { color: faint, formatter: formatBytes },
    },
    series: [series],
  });
}
