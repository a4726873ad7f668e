import {
  type DirtySample,
  type DirtySource,
  type DirtySummary,
  measureDirtyRate,
  predictPrecopy,
  type PrecopyPrediction,
  summarise,
} from '@xenpt/qmp-sdk/dirty-rate';
import { type DirtyRatePlan, dirtyRateOptions, openSource, planDirtyRate } from '../dirty-rate-plan.js';
import { ExitCode } from '../exit-code.js';
import {
  formatPrediction,
  formatSampleLine,
  formatSummary,
  predictionJson,
  sampleJson,
  sourceJson,
  summaryJson,
} from '../output/dirty-rate.js';
import type { ColorDepth } from '../output/heat-map.js';
import { SCHEMA_VERSION } from '../output/json.js';
import { ENTER_SCREEN, LEAVE_SCREEN, renderLiveFrame } from '../output/live-view.js';
import { formatDuration } from '../output/quantity.js';
import type { Verb, VerbContext, VerbOutput } from '../verb.js';
import { measurement } from '../output/dirty-rate-schema.js';

/** Older samples of an endless measurement are forgotten; sets of pages and means of windows go on over all. */
const MOST_KEPT_SAMPLES = 600;

export const dirtyRate: Verb = {
  name: 'dirty-rate',
  summary: 'measure how fast a guest writes its memory, and whether it would migrate',
  arguments: [{ name: 'DOMAIN', description: 'id or name, as in xl list', optional: true }],
  options: dirtyRateOptions,
  examples: [
    ['xenpt dirty-rate web --link 10Gbit/s', 'ten seconds, then: does it converge?'],
    ['xenpt dirty-rate web --watch', 'live heat map, until Ctrl-C'],
    ['xenpt dirty-rate web --report web.html', 'a page to keep or to send'],
    ['xenpt dirty-rate --qmp /run/vm.qmp', 'any QEMU'],
    ['xenpt dirty-rate --file a.bitmap b.bitmap', 'recorded, a second each'],
  ],
  schema: {},
  optionalSchema: measurement,
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.refused,
    ExitCode.busy,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, words, options) => {
    const plan = planDirtyRate(words, options);
    const source = await openSource(plan, context);
    try {
      return await measure(plan, source, context, options.json);
    } finally {
      // Switches logging off, also after Ctrl-C.
      await source.close();
    }
  },
};

async function measure(plan: DirtyRatePlan, source: DirtySource, context: VerbContext, json: boolean) {
  const view = plan.watch ? createView(plan, source, context, json) : undefined;
  const samples: DirtySample[] = [];
  let count = 0;
  const { intervalMs, link } = plan;
  const signal = context.signal;
  const limit = plan.samples === undefined ? {} : { samples: plan.samples };
  try {
    for await (const sample of measureDirtyRate(source, { intervalMs, signal, ...limit })) {
      count += 1;
      samples.push(sample);
      if (samples.length > MOST_KEPT_SAMPLES) samples.shift();
      view?.show(samples);
    }
  } finally {
    view?.end();
  }
  const summary = summarise(samples, source);
  const prediction = link ? predictPrecopy(summary.profile, link) : null;
  const result: Result = { plan, source, samples, summary, prediction, notes: notesOf(plan, summary, count) };
  if (plan.report !== undefined) await writeReport(plan.report, result, context);
  return toOutput(result, context, json);
}

interface Result {
  readonly plan: DirtyRatePlan;
  readonly source: DirtySource;
  readonly samples: readonly DirtySample[];
  readonly summary: DirtySummary;
  readonly prediction: PrecopyPrediction | null;
  readonly notes: readonly string[];
}

function toOutput(
  { plan, source, samples, summary, prediction, notes }: Result,
  context: VerbContext,
  json: boolean,
): VerbOutput {
  const document = {
    source: sourceJson(source, summary),
    intervalMs: plan.intervalMs,
    ...(plan.watch ? {} : { samples: samples.map((sample) => sampleJson(sample, false)) }),
    summary: summaryJson(summary),
    prediction: predictionJson(prediction),
    notes,
  };
  if (plan.watch && json) {
    context.io.stdout(jsonLine(document));
    return {};
  }
  const texts = [formatSummary(summary, plan.intervalMs, context.style)];
  if (prediction) texts.push(formatPrediction(prediction, context.style));
  return { json: document, text: texts.join('\n\n'), notes };
}

function notesOf(plan: DirtyRatePlan, { overruns, samples }: DirtySummary, count: number): string[] {
  const notes: string[] = [];
  if (plan.samples !== undefined && count < plan.samples) {
    notes.push(`The measurement ended after ${count} of ${plan.samples} samples.`);
  }
  if (overruns > 0) {
    const asked = formatDuration(plan.intervalMs);
    notes.push(`${overruns} of ${samples} samples took over ${asked}; rates are of the real time.`);
  }
  return notes;
}

/** The plotting library is large: it is loaded by those who want a page. */
async function writeReport(path: string, result: Result, { io }: VerbContext): Promise<void> {
  const { renderReport } = await import('../output/report.js');
  const { samples, summary, prediction, plan } = result;
  io.writeFile(
    path,
    renderReport({ samples, summary, prediction, intervalMs: plan.intervalMs, createdAt: new Date() }),
  );
}

interface View {
  show(samples: readonly DirtySample[]): void;
  end(): void;
}

/** A picture in a terminal, a line per sample elsewhere. */
function createView(plan: DirtyRatePlan, source: DirtySource, { io, style }: VerbContext, json: boolean): View {
  if (json) {
    const show = (samples: readonly DirtySample[]) => {
      const last = samples.at(-1);
      if (last) io.stdout(jsonLine({ sample: sampleJson(last, true) }));
    };
    return { show, end: () => {} };
  }
  if (!io.terminal) {
    const show = (samples: readonly DirtySample[]) => {
      const last = samples.at(-1);
      if (last) io.stdout(`${formatSampleLine(last, source.pageSizeBytes)}\n`);
    };
    return { show, end: () => {} };
  }
  let entered = false;
  const show = (samples: readonly DirtySample[]) => {
    const summary = summarise(samples, source);
    const prediction = plan.link ? predictPrecopy(summary.profile, plan.link) : null;
    const { columns, rows } = io.terminal ?? { columns: 80, rows: 24 };
    const frame = renderLiveFrame({ samples, summary, prediction, columns, rows, depth: depthOf(io, style), style });
    io.stdout(entered ? frame : `${ENTER_SCREEN}${frame}`);
    entered = true;
  };
  return { show, end: () => (entered ? io.stdout(LEAVE_SCREEN) : undefined) };
}

/** A style without colours is the sign that nobody wants them (NO_COLOR). */
function depthOf({ colorDepth = 8 }: VerbContext['io'], style: VerbContext['style']): ColorDepth {
  if (style.strong('x') === 'x') return 1;
  return colorDepth >= 24 ? 24 : colorDepth >= 8 ? 8 : 1;
}

function jsonLine(fields: object): string {
  return `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...fields })}\n`;
}
