/** `GET /metrics`: what Nebula knows of itself in Prometheus' text format, read when it is asked for. */

import { Counter, Gauge, Registry, Summary } from 'prom-client';
import type { LatencySummary, NebulaStats } from '../../schema/stats.ts';
import type { Nebula } from '../../api/nebula.ts';
import type { ResponseTally } from './response-tally.ts';

/** Metrics in Prometheus' text format. */
export interface Metrics {
  readonly contentType: string;
  read(): Promise<string>;
}

type SummaryValues = Awaited<ReturnType<Summary['get']>>;

/** Nebula's histograms already hold the quantiles, so this summary shows them in place of sampling its own. */
class LatencyMetric extends Summary<'function' | 'phase' | 'quantile'> {
  readonly #stats: () => NebulaStats;

  constructor(stats: () => NebulaStats) {
    super({
      name: 'nebula_invocation_phase_seconds',
      help: 'Time of each phase of an invocation, and total',
      labelNames: ['function', 'phase'],
      registers: [],
    });
    this.#stats = stats;
  }

  override async get(): Promise<SummaryValues> {
    const metric = await super.get();
    const values = this.#stats().functions.flatMap((stats) =>
      Object.entries(stats.latency).flatMap(([phase, latency]) => toSamples({ function: stats.name, phase }, latency)),
    );
    return { ...metric, values };
  }
}

function toSamples(labels: { function: string; phase: string }, latency: LatencySummary): SummaryValues['values'] {
  const name = 'nebula_invocation_phase_seconds';
  return [
    { labels: { quantile: 0.5, ...labels }, value: latency.p50Us / 1e6 },
    { labels: { quantile: 0.9, ...labels }, value: latency.p90Us / 1e6 },
    { labels: { quantile: 0.99, ...labels }, value: latency.p99Us / 1e6 },
    { labels: { quantile: 1, ...labels }, value: latency.maxUs / 1e6 },
    { metricName: `${name}_sum`, labels, value: (latency.meanUs * latency.count) / 1e6 },
    { metricName: `${name}_count`, labels, value: latency.count },
  ];
}

function pausedMetric(stats: () => NebulaStats): Gauge {
  return new Gauge({
    name: 'nebula_function_paused_seconds',
    help: 'How long a function that is paused now has no threads yet',
    labelNames: ['function'],
    registers: [],
    collect(): void {
      this.reset();
      for (const { name, forMs } of stats().executor.paused ?? []) this.set({ function: name }, forMs / 1e3);
    },
  });
}

type AddCounter = (name: string, help: string, labelNames: string[], read: (metric: Counter) => void) => void;

/** What guests have used of what is counted. */
function countUsed(counter: AddCounter, stats: () => NebulaStats): void {
  counter('nebula_units_total', 'Units that guests have counted', ['function'], (metric) => {
    for (const { name, used } of stats().functions) metric.inc({ function: name }, used.units);
  });
  counter('nebula_cpu_seconds_total', 'Processor time of guests, where it is counted', ['function'], (metric) => {
    for (const { name, used } of stats().functions) metric.inc({ function: name }, used.cpuNs / 1e9);
  });
}

/** A registry of its own: prom-client's global one belongs to the application. */
export function createMetrics(nebula: Nebula, tally: ResponseTally): Metrics {
  const registry = new Registry();
  // One reading of the state per scrape: folding the histograms for every metric would be repeated work.
  let current: NebulaStats | undefined;
  const stats = (): NebulaStats => (current ??= nebula.stats());
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric = new Gauge({
      name,
      help,
      registers: [],
      collect(): void {
        this.set(read());
      },
    });
    registry.registerMetric(metric);
  };
  const counter: AddCounter = (name, help, labelNames, read) => {
    const metric = new Counter({
      name,
      help,
      labelNames,
      registers: [],
      collect(): void {
        this.reset();
        read(this);
      },
    });
    registry.registerMetric(metric);
  };
  counter('nebula_invocations_total', 'Invocations by how they ended', ['function', 'outcome'], (metric) => {
    for (const { name, outcomes } of stats().functions) {
      for (const [outcome, count] of Object.entries(outcomes)) metric.inc({ function: name, outcome }, count);
    }
  });
  countUsed(counter, stats);
  registry.registerMetric(new LatencyMetric(stats));
  gauge('nebula_running', 'Invocations that run now', () => stats().executor.running);
  gauge('nebula_suspended', 'Invocations whose guests wait without a thread', () => stats().executor.suspended);
  gauge('nebula_waiting', 'Invocations that wait now', () => stats().executor.waiting);
  gauge('nebula_units', 'Threads, containers or processes alive', () => stats().executor.units);
  gauge('nebula_memories', 'Wasm memories alive', () => stats().executor.memories);
  gauge('nebula_memories_limit', 'Wasm memories there may be', () => stats().executor.memoriesLimit);
  counter('nebula_units_replaced_total', 'Units lost to deadlines, aborts or crashes', [], (metric) => {
    metric.inc(stats().executor.unitsReplaced);
  });
  counter('nebula_stops_total', 'Guests that were stopped, and whose units live on', [], (metric) => {
    metric.inc(stats().executor.stops);
  });
  counter('nebula_pauses_total', 'Pauses of functions whose calls kept ending their threads', [], (metric) => {
    metric.inc(stats().executor.pauses ?? 0);
  });
  registry.registerMetric(pausedMetric(stats));
  counter('nebula_restores_total', 'Micro-VMs put back after an answer', [], (metric) => {
    metric.inc(stats().executor.restores);
  });
  counter('nebula_restore_seconds_total', 'Time spent on putting micro-VMs back', [], (metric) => {
    metric.inc(stats().executor.restoresNs / 1e9);
  });
  counter('nebula_http_responses_total', 'HTTP responses by status', ['status'], (metric) => {
    for (const [status, responses] of tally.entries()) metric.inc({ status }, responses);
  });
  gauge('process_resident_memory_bytes', 'Resident memory of the process', () => process.memoryUsage.rss());
  const read = (): Promise<string> => {
    current = undefined;
    return registry.metrics();
  };
  return { contentType: registry.contentType, read };
}
