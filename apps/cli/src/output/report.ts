import type { DirtySample, DirtySummary, PrecopyPrediction } from '@xenpt/qmp-sdk/dirty-rate';
import { precopyPolicies } from '@xenpt/qmp-sdk/dirty-rate';
import { formatFrames, formatRemedy } from './dirty-rate.js';
import { formatBandwidth, formatBytes, formatCount, formatDuration, formatShare } from './quantity.js';
import { growthChart, heatChart, rateChart, roundsChart } from './report-charts.js';

export interface Report {
  readonly samples: readonly DirtySample[];
  readonly summary: DirtySummary;
  readonly prediction: PrecopyPrediction | null;
  readonly intervalMs: number;
  readonly createdAt: Date;
}

/**
 * A page that needs nothing but itself: no script, no network, drawings as SVG, dark or light as the reader's system
 * is.
 */
export function renderReport(report: Report): string {
  const { summary, prediction } = report;
  const title = `Dirty rate of ${escape(summary.description)}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${css}</style>
<main>
<h1>${title}</h1>
<p class="faint">${escape(metaLine(report))}</p>
<div class="tiles">${tiles(report).join('')}</div>
${prediction ? verdictBox(prediction) : ''}
${section('Rate', 'Different pages dirtied in each sample, per second.', rateChart(report))}
${heatSection(report)}
${section(
  'How the dirty set grows',
  'Different pages dirtied within a window, by its length: measured, and as predictions take it. Where the curve is ' +
    'flat the same pages are written again.',
  growthChart(summary),
)}
${prediction ? roundsSection(prediction, summary) : ''}
</main>
</html>
`;
}

function metaLine({ summary, intervalMs, createdAt }: Report): string {
  const { samples, memoryPages, pageSizeBytes } = summary;
  const memory = `${formatBytes(memoryPages * pageSizeBytes)} of memory in pages of ${formatBytes(pageSizeBytes)}`;
  const when = createdAt.toISOString().slice(0, 16).replace('T', ' ');
  return `${samples} samples of ${formatDuration(intervalMs)}, ${memory}; xenpt, ${when} UTC`;
}

function tiles({ summary }: Report): string[] {
  const { mean, peak, workingSetPages, again, pageSizeBytes, elapsedMs } = summary;
  const all = [
    tile('Mean rate', `${formatBytes(mean.bytesPerSecond)}/s`, `${formatCount(mean.pagesPerSecond)} pages/s`),
    tile('Peak rate', `${formatBytes(peak.bytesPerSecond)}/s`, `${formatCount(peak.pagesPerSecond)} pages/s`),
  ];
  if (workingSetPages !== null) {
    const within = `${formatCount(workingSetPages)} pages in ${formatDuration(elapsedMs)}`;
    all.push(tile('Working set', formatBytes(workingSetPages * pageSizeBytes), within));
  }
  if (again !== null) {
    all.push(
      tile('Dirtied again', formatShare(again.share), `${formatCount(again.everySample)} pages in every sample`),
    );
  }
  return all;
}

function tile(name: string, value: string, detail: string): string {
  return `<div class="tile"><span>${name}</span><strong>${value}</strong><span>${detail}</span></div>`;
}

function verdictBox(prediction: PrecopyPrediction): string {
  const { verdict, pauseMs, roundCount, totalBytes, totalMs, link, remedy } = prediction;
  const over = `${formatBandwidth(link.bandwidthBytesPerSecond)}, pause at most ${formatDuration(link.downtimeMs)}`;
  const words = {
    converges: 'A migration converges',
    'pause-too-long': 'A migration ends, but the pause is too long',
    'never-ends': 'A migration does not converge',
  }[verdict];
  const found =
    pauseMs === null
      ? `Each round leaves as much as it sends.`
      : `${roundCount} rounds, ${formatBytes(totalBytes)}, ${formatDuration(totalMs)}; ` +
        `the guest stands still for ${formatDuration(pauseMs)}.`;
  return `<div class="verdict ${verdict === 'converges' ? 'good' : 'bad'}"><strong>${words}</strong> over ${over}
<br>${found} ${remedy ? formatRemedy(remedy).join(' ') : ''}</div>`;
}

function heatSection({ samples, summary }: Report): string {
  const { heat, hottest, pageSizeBytes } = summary;
  if (!heat || !hottest) return '<p>This source does not tell which pages are dirty, so there is no heat map.</p>';
  const rows = hottest.map(({ startFrame, endFrame, pagesPerSecond, share, density }) => [
    `<code>${formatFrames(startFrame, endFrame)}</code>`,
    formatBytes((endFrame - startFrame) * pageSizeBytes),
    `${formatBytes(pagesPerSecond * pageSizeBytes)}/s`,
    formatShare(share),
    formatShare(density),
  ]);
  const hot = table(['Hottest frames', 'Size', 'Rate', 'Of all', 'Dirty in a sample'], rows);
  const words =
    'Guest memory from low to high addresses over time; stretches that were never written are left out. ' +
    'The fuller the colour, the larger the part of the pages that is dirty (logarithmic, from 0.1 % to all).';
  return section('Where', words, heatChart(samples, summary) + hot);
}

function roundsSection(prediction: PrecopyPrediction, summary: DirtySummary): string {
  const { link, rounds, extrapolated } = prediction;
  const rows = rounds.map(({ round, pages, bytes, durationMs, paused }) => [
    String(round),
    formatCount(pages),
    formatBytes(bytes),
    formatDuration(durationMs),
    paused ? 'paused' : 'runs',
  ]);
  const note = extrapolated ? ' A round lasts longer than what was measured, so the curve had to be extended.' : '';
  const title = precopyPolicies[link.policy].title;
  const words = `${title}. Each round sends what the one before left dirty (logarithmic).${note}`;
  const listed = table(['Round', 'Pages', 'Bytes', 'Time', 'Guest'], rows);
  return section('Predicted rounds', words, roundsChart(prediction, summary.pageSizeBytes) + listed);
}

function section(title: string, words: string, content: string): string {
  return `<section><h2>${title}</h2><p class="faint">${words}</p>${content}</section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table></div>`;
}

/** The name of a guest or a file is anybody's text. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const css = `
:root { --ink: #1d2129; --faint: #667085; --line: #d5dae1; --paper: #ffffff; --panel: #f5f7fa;
  --rate: #2563a8; --heat: #c2310a; --pause: #c2310a; --good: #18794e; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --faint: #98a2b3; --line: #343b46; --paper: #12151a;
  --panel: #1b2027; --rate: #74b3f0; --heat: #ff9c4a; --pause: #ff8f6b; --good: #5dd39e; --bad: #ff8a7a; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 0; }
p { margin: .2rem 0 .8rem; } .faint { color: var(--faint); font-size: .875rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; }
.tile { flex: 1 1 10rem; background: var(--panel); border-radius: .5rem; padding: .75rem 1rem; }
.tile span { display: block; color: var(--faint); font-size: .8rem; } .tile strong { font-size: 1.35rem; }
.verdict { margin-top: .75rem; background: var(--panel); border-left: .3rem solid; border-radius: .25rem;
  padding: .75rem 1rem; } .good { border-color: var(--good); } .bad { border-color: var(--bad); }
.good strong { color: var(--good); } .bad strong { color: var(--bad); }
svg { display: block; width: 100%; height: auto; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; margin-top: .5rem; width: 100%; }
th, td { text-align: right; padding: .25rem .75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: normal; } th:first-child, td:first-child { text-align: left; }
code { font: .95em ui-monospace, monospace; }
@media print { section { break-inside: avoid; } }
`;
