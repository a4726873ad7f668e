import { Counter, Gauge, type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import type { ModelStats } from '@xenpt/qmp-sdk/xen';

type Labels = Readonly<Record<string, string | number>>;

/** What is counted elsewhere is set once, into a registry that nothing else is in. */
class Exposition {
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #common: Labels;

  constructor(common: Labels) {
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#common = common;
  }

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    const all = { ...this.#common, ...labels };
    new Gauge({ name, help, labelNames: Object.keys(all), registers: [this.#registry] }).set(all, value);
  }

  /** @param counts by what stands in `label`; without one, one value by the name of '' */
  counter(name: string, help: string, counts: Readonly<Record<string, number>> | null, label?: string): void {
    if (counts === null) return;
    const labelNames = [...Object.keys(this.#common), ...(label === undefined ? [] : [label])];
    const counter = new Counter({ name, help, labelNames, registers: [this.#registry] });
    for (const [key, value] of Object.entries(counts)) {
      counter.inc({ ...this.#common, ...(label === undefined ? {} : { [label]: key }) }, value);
    }
  }

  /** The library's own histogram takes single observations only. */
  histogram(name: string, help: string, { count, sumNs, buckets }: NonNullable<ModelStats['latency']>): void {
    const labels = this.#common;
    let sum = 0;
    const cumulative = buckets.map((bucket) => ({ le: bucket.upToNs / 1e9, value: (sum += bucket.count) }));
    const values = [
      ...[...cumulative, { le: '+Inf', value: count }].map(({ le, value }) => {
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
      }),
      { metricName: `${name}_sum`, labels, value: sumNs / 1e9 },
      { metricName: `${name}_count`, labels, value: count },
    ];
    const metric = { name, help, type: 'histogram', aggregator: 'sum', values };
    const registered = { ...metric, get: () => Promise.resolve(metric) };
    this.#registry.registerMetric(registered as unknown as Metric);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** One exposition in the form that OpenMetrics 1.0 describes; seconds, and counters that end in `_total`. */
export async function formatOpenMetrics(stats: ModelStats): Promise<string> {
  const { domid, domainName, process, latency, waiting, late } = stats;
  const out = new Exposition({ domid, domain: domainName });
  if (process !== null) {
    const { pid, version, startedAtMs } = process;
    out.gauge('xenpt_model_info', 'The process of the device model.', 1, { version, pid });
    out.gauge('xenpt_model_start_time_seconds', 'When it was started, since 1970.', startedAtMs / 1000);
  }
  out.gauge('xenpt_model_devices', 'Functions that the guest has of it.', stats.devices.length);
  out.counter('xenpt_model_requests_total', 'Requests of the guest.', stats.requests, 'kind');
  out.counter('xenpt_model_effects_total', 'What was carried out for them.', stats.effects, 'type');
  out.counter('xenpt_model_failed_effects_total', 'What Xen or the host refused.', stats.failedEffects, 'type');
  out.counter('xenpt_model_denied_writes_total', 'Writes that could change nothing.', { '': stats.deniedWrites });
  out.counter('xenpt_model_interrupts_bound_total', 'Interrupts bound to the guest.', stats.interrupts, 'kind');
  if (latency !== null) out.histogram('xenpt_model_answer_seconds', 'How long requests were in its hands.', latency);
  out.counter('xenpt_model_late_total', 'Answers that took longer than 2 s.', late === null ? null : { '': late });
  out.gauge('xenpt_model_waiting_seconds', 'Age of what is being answered.', (waiting?.ageMs ?? 0) / 1000);
  return out.text();
}
